#include "kernels/random/random_normal.h"
#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

/// A row's numbers, on the CPU.
Tensor drawn(const Implementation<RandomNormalArgs>& row, Context& context, int64_t n,
             uint64_t first, double scale = 1.0) {
  const Tensor y({n}, DType::f32, row.device);
  row.run({.y = y, .random = Philox(3, RandomStream::test, 8), .first = first, .scale = scale},
          context);
  return y.to(Device::cpu);
}

}  // namespace

TEST_CASE("random_normal: every row equals the reference") {
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
  for_each_execution<RandomNormalArgs>([&](const auto& row, const Execution& execution,
                                           Context& context) {
    const Tensor y = drawn(row, context, n, 41, 0.3);
    for (int64_t i = 0; i < n; ++i) {
      const auto expected = static_cast<float>(0.3 * random.normal(static_cast<uint64_t>(41 + i)));
      const float got = y.data<float>()[i];
      // A GPU's last bit of a double may be another one: a neighbouring float, once in 10^8.
      const bool same = got == expected ||
                        (row.device == Device::cuda && std::nextafter(got, expected) == expected);
      REQUIRE_MESSAGE(same, row.name, " on ", execution.describe(), ", element ", i);
    }
  });
}

TEST_CASE("random_normal: a part of a vector is that part, however it is drawn") {
  for_each_execution<RandomNormalArgs>(
      [](const auto& row, const Execution& execution, Context& context) {
        const Tensor whole = drawn(row, context, 1000, 0), part = drawn(row, context, 300, 700);
        const bool same =
            std::memcmp(whole.data<float>() + 700, part.data<float>(), 300 * sizeof(float)) == 0;
        CHECK_MESSAGE(same, row.name, " on ", execution.describe());
      });
}

TEST_CASE("random_normal: more elements than a grid has threads") {
  const int64_t n = (int64_t{1} << 20) + 1001;
  Tensor first;
  for_each_execution<RandomNormalArgs>(
      [&](const auto& row, const Execution& execution, Context& context) {
        if (execution.schedule > 0) return;
        const Tensor y = drawn(row, context, n, 0);
        if (!first.defined()) first = y;
        CHECK_MESSAGE(relative_error(first, y) <= 1e-7, row.name, " on ", execution.describe());
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
