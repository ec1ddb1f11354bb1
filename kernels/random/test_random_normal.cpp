#include "kernels/random/random_normal.h"

#include <array>

#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

/// Returns an implementation's numbers, on the CPU.
Tensor drawn(const Implementation<RandomNormalArgs>& implementation, Context& context, int64_t n,
             uint64_t first, double scale = 1.0) {
  const Tensor y({n}, DType::f32, implementation.device);
  implementation.run(
      {.y = y, .random = Philox(3, RandomStream::test, 8), .first = first, .scale = scale},
      context);
  return y.to(Device::cpu);
}

/// Philox4x32-10 as its paper's figure has it (Salmon et al., 2011): two Feistel-like halves (L,
/// R), ten rounds, keys that grow by Weyl's constants. Written apart from kernels/core/philox.h.
std::array<uint32_t, 4> philox_of_the_paper(std::array<uint32_t, 4> counter, uint32_t k0,
                                            uint32_t k1) {
  uint32_t r0 = counter[0], l0 = counter[1], r1 = counter[2], l1 = counter[3];
  for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
    const unsigned __int128 first = static_cast<unsigned __int128>(r0) * 0xD2511F53u;
    const unsigned __int128 second = static_cast<unsigned __int128>(r1) * 0xCD9E8D57u;
    r0 = static_cast<uint32_t>(second >> 32) ^ l0 ^ k0;
    l0 = static_cast<uint32_t>(second);
    r1 = static_cast<uint32_t>(first >> 32) ^ l1 ^ k1;
    l1 = static_cast<uint32_t>(first);
  }
  return {r0, l0, r1, l1};
}

/// Returns what drawn() should give for an index: Box and Muller's formula in long double on 53
/// bits of two words each, with seed 3, stream 6 (tests), substream 8.
double expected_normal(uint64_t index) {
  const auto w = philox_of_the_paper(
      {static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32), 8, 6}, 3, 0);
  const uint64_t a = (uint64_t{w[1]} << 32) + w[0], b = (uint64_t{w[3]} << 32) + w[2];
  const long double u = (static_cast<long double>(a / 2048) + 1) / 9007199254740992.0L;
  const long double v = static_cast<long double>(b / 2048) / 9007199254740992.0L;
  const long double turn = 8 * std::atan(1.0L);
  return static_cast<double>(std::sqrt(-2 * std::log(u)) * std::cos(turn * v));
}

}  // namespace

TEST_CASE("random_normal: the test's own Philox gives the published values") {
  // Random123's known answers for philox4x32-10.
  using Words = std::array<uint32_t, 4>;
  CHECK(philox_of_the_paper({0, 0, 0, 0}, 0, 0) ==
        Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(philox_of_the_paper({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, 0xffffffff,
                            0xffffffff) == Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(philox_of_the_paper({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0xa4093822,
                            0x299f31d0) == Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("random_normal: every implementation equals the reference") {
  for (int64_t n : {0, 1, 31, 33, 1009})
    for (uint64_t first : {uint64_t{0}, uint64_t{0xffffff00}, uint64_t{1} << 63})
      for (double scale : {1.0, -0.37})
        check_op<RandomNormalArgs>(
            text("random_normal n=", n, " first=", first, " scale=", scale),
            [&](Operands& o) {
              return RandomNormalArgs{
                  .y = o.output({n}),
                  .random = Philox(0x123456789abcdef0, RandomStream::direction, 7),
                  .first = first,
                  .scale = scale};
            },
            1e-7);  // double inside, rounded to float once
}

TEST_CASE("random_normal: the numbers are Philox's, to the bit on this processor") {
  const int64_t n = 10007;
  const Philox random(3, RandomStream::test, 8);
  for_each_execution<RandomNormalArgs>([&](const auto& implementation, const Execution& execution,
                                           Context& context) {
    const Tensor y = drawn(implementation, context, n, 41, 0.3);
    for (int64_t i = 0; i < n; ++i) {
      const auto expected = static_cast<float>(0.3 * random.normal(static_cast<uint64_t>(41 + i)));
      const float got = y.data<float>()[i];
      // A GPU's last bit of a double may be another one: a neighbouring float, once in 10^8.
      const bool same = got == expected || (implementation.device == Device::cuda &&
                                            std::nextafter(got, expected) == expected);
      REQUIRE_MESSAGE(same, implementation.name, " on ", execution.describe(), ", element ", i);
    }
  });
}

TEST_CASE("random_normal: a part of a vector is that part, however it is drawn") {
  for_each_execution<RandomNormalArgs>(
      [](const auto& implementation, const Execution& execution, Context& context) {
        const Tensor whole = drawn(implementation, context, 1000, 0),
                     part = drawn(implementation, context, 300, 700);
        const bool same =
            std::memcmp(whole.data<float>() + 700, part.data<float>(), 300 * sizeof(float)) == 0;
        CHECK_MESSAGE(same, implementation.name, " on ", execution.describe());
      });
}

TEST_CASE("random_normal: more elements than a grid has threads") {
  const int64_t n = (int64_t{1} << 20) + 1001;
  const Tensor expected({n}, DType::f64);
  for (int64_t i = 0; i < n; ++i)
    expected.data<double>()[i] = expected_normal(static_cast<uint64_t>(i));
  for_each_execution<RandomNormalArgs>(
      [&](const auto& implementation, const Execution& execution, Context& context) {
        if (execution.schedule > 0) return;
        const Tensor y = drawn(implementation, context, n, 0);
        // Rounded once, to float: 6e-8 of an element, which is at most the largest.
        CHECK_MESSAGE(relative_error(expected, y) <= 1e-7, implementation.name, " on ",
                      execution.describe());
      });
}

TEST_CASE("random_normal: what cannot be drawn is refused") {
  Context context;
  const Philox random(1, RandomStream::test);
  CHECK_THROWS_WITH_AS(random_normal({.y = Tensor({2}, DType::u8), .random = random}, context),
                       "random_normal: y is of u8; normal numbers are real", Error);
  CHECK_THROWS_AS(
      random_normal({.y = Tensor({2}), .random = random, .scale = std::nan("")}, context), Error);
}
