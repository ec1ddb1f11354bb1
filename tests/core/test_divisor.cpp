#include <doctest/doctest.h>

#include <limits>
#include <vector>

#include "kernels/core/divisor.h"
#include "kernels/core/philox.h"

using namespace topograd;

TEST_CASE("divisor: quotient and remainder are the processor's, up to the ends of 63 bits") {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  const Philox random(11, RandomStream::test);
  uint64_t next = 0;
  const auto draw = [&] {  // 1 to 63 bits, all lengths alike
    const auto words = random.words(next++);
    const uint64_t bits = uint64_t{words[1]} << 32 | words[0];
    return static_cast<int64_t>(bits >> (1 + words[2] % 63));
  };
  std::vector<int64_t> divisors{1, 2, 3, 5, 7, 10, 31, 32, 33, 641, kMost / 2, kMost - 1, kMost};
  for (int shift = 2; shift < 63; ++shift)
    for (int64_t off : {-1, 0, 1}) divisors.push_back((int64_t{1} << shift) + off);
  for (int i = 0; i < 500; ++i) divisors.push_back(std::max<int64_t>(draw(), 1));
  for (const int64_t d : divisors) {
    const Divisor divisor(d);
    std::vector<int64_t> numerators{0,         1,     d - 1,         d,
                                    kMost - 1, kMost, kMost / d * d, kMost / d * d - 1};
    for (int i = 0; i < 100; ++i) {
      const int64_t n = draw();
      numerators.push_back(n);
      numerators.push_back(n / d * d);  // where floor is about to step
    }
    for (const int64_t n : numerators) {
      REQUIRE(divisor.quotient(n) == n / d);
      REQUIRE(divisor.remainder(n) == n % d);
      REQUIRE(divisor.divide(n).quotient == n / d);
      REQUIRE(divisor.divide(n).remainder == n % d);
    }
  }
}

TEST_CASE("divisor: an int's quotient is the processor's, up to the ends of 31 bits") {
  constexpr int kMost = std::numeric_limits<int>::max();
  const Philox random(12, RandomStream::test);
  uint64_t next = 0;
  const auto draw = [&] {  // 1 to 31 bits, all lengths alike
    const auto words = random.words(next++);
    return static_cast<int>(words[0] >> (1 + words[1] % 31));
  };
  std::vector<int> divisors{1, 2, 3, 5, 7, 10, 27, 641, kMost / 2, kMost - 1, kMost};
  for (int shift = 2; shift < 31; ++shift)
    for (int off : {-1, 0, 1}) divisors.push_back((1 << shift) + off);
  for (int i = 0; i < 500; ++i) divisors.push_back(std::max(draw(), 1));
  for (const int d : divisors) {
    const IntDivisor divisor(d);
    std::vector<int> numerators{0, 1, d - 1, d, kMost - 1, kMost, kMost / d * d, kMost / d * d - 1};
    for (int i = 0; i < 100; ++i) {
      const int n = draw();
      numerators.push_back(n);
      numerators.push_back(n / d * d);  // where floor is about to step
    }
    for (const int n : numerators) REQUIRE(divisor.quotient(n) == n / d);
  }
}

TEST_CASE("divisor: at compile time; an empty axis counts as one") {
  static_assert(Divisor(10).quotient(1234567) == 123456);
  static_assert(Divisor(10).remainder(1234567) == 7);
  static_assert(Divisor(0).quotient(5) == 5);
  static_assert(IntDivisor(10).quotient(1234567) == 123456);
  static_assert(IntDivisor(0).quotient(5) == 5);
}
