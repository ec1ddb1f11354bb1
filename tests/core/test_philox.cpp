#include <doctest/doctest.h>

#include <cmath>

#include "kernels/core/philox.h"

using namespace topograd;

TEST_CASE("philox: the known answers of Philox4x32-10") {
  // kat_vectors of Random123 1.14, the authors' library.
  using Counter = std::array<uint32_t, 4>;
  static_assert(philox4x32({0, 0, 0, 0}, {0, 0}) ==
                Counter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  const uint32_t ones = 0xffffffff;
  static_assert(philox4x32({ones, ones, ones, ones}, {ones, ones}) ==
                Counter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  static_assert(
      philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
      Counter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
  // Philox at run time gives what it gave the compiler.
  volatile uint32_t zero = 0;
  const Counter words = philox4x32({zero, zero, zero, zero}, {zero, zero});
  CHECK(words == Counter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
}

TEST_CASE("philox: seed, stream, substream and index are the words of key and counter") {
  const Philox random(0x1111111122222222, RandomStream::shuffle, 0x33333333);
  const auto expected =
      philox4x32({0x55555555, 0x44444444, 0x33333333, 2}, {0x22222222, 0x11111111});
  CHECK(random.words(0x4444444455555555) == expected);
}

TEST_CASE("philox: uniforms fill [0, 1), integers their range, normals have their moments") {
  const Philox random(7, RandomStream::test);
  const int n = 20000;
  double sum = 0, normal_sum = 0, squares = 0, fourth_powers = 0;
  int counts[5] = {};
  for (uint64_t i = 0; i < n; ++i) {
    const double u = random.uniform(i);
    REQUIRE((0 <= u && u < 1));
    sum += u;
    const uint32_t k = random.below(i, 5);
    REQUIRE(k < 5);
    ++counts[k];
    const double z = random.normal(i);
    normal_sum += z;
    squares += z * z;
    fourth_powers += z * z * z * z;
  }
  // Five standard deviations of a mean of n: 5 sqrt(variance / n).
  const double root = 5 / std::sqrt(static_cast<double>(n));
  CHECK(std::abs(sum / n - 0.5) <= root * std::sqrt(1.0 / 12));
  for (int count : counts) CHECK(std::abs(count / double{n} - 0.2) <= root * std::sqrt(0.2 * 0.8));
  CHECK(std::abs(normal_sum / n) <= root);
  CHECK(std::abs(squares / n - 1) <= root * std::sqrt(2.0));
  CHECK(std::abs(fourth_powers / n - 3) <= root * std::sqrt(96.0));
}

TEST_CASE("philox: a bound of 1 gives 0, a bound of 0 gives 0") {
  const Philox random(7, RandomStream::test);
  for (uint64_t i = 0; i < 10; ++i) {
    CHECK(random.below(i, 1) == 0);
    CHECK(random.below(i, 0) == 0);
  }
}
