#include "kernels/scale_shift/scale_shift.h"
#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

TEST_CASE(
    "scale_shift: every implementation equals the reference, whether networks share their input or "
    "not") {
  for (const Shape& image :
       {Shape{0, 2, 2, 3}, Shape{1, 1, 1, 1}, Shape{3, 5, 7, 31}, Shape{2, 33}})
    for (int64_t P : {1, 3})
      for (bool shared : {false, true})
        for (bool relu : {false, true})
          for (const auto& [before, after] : {std::pair{0, 0}, {5, 0}, {3, 2}})  // x's channels
            check_op<ScaleShiftArgs>(
                text("scale_shift ", image, " P=", P, " shared=", shared, " relu=", relu, " from ",
                     before),
                [&, before = before, after = after](Operands& o) {
                  const Shape all = image.with_first(P * image[0]);
                  const int64_t C = image[image.rank() - 1];
                  const Shape& same = shared ? image : all;
                  Shape wider(same.begin(), same.end() - 1);
                  wider.push_back(before + C + after);
                  return ScaleShiftArgs{.y = o.output(all),
                                        .x = o.normal(wider),
                                        .scale = o.normal({P * C}),
                                        .shift = o.normal({P * C}),
                                        .first = before,
                                        .points = P,
                                        .relu = relu};
                },
                2e-7);  // a product and a sum, each rounded to float
}

TEST_CASE("scale_shift: in place; NaN passes the maximum") {
  for_each_execution<ScaleShiftArgs>([](const auto& implementation, const Execution&,
                                        Context& context) {
    const Tensor x({1, 2});
    x.data<float>()[0] = std::nanf("");
    x.data<float>()[1] = -3;
    const Tensor ones({2});
    std::fill_n(ones.data<float>(), 2, 1.0f);
    const Tensor there = x.to(implementation.device), one = ones.to(implementation.device);
    implementation.run({.y = there, .x = there, .scale = one, .shift = one, .relu = true}, context);
    const Tensor y = there.to(Device::cpu);
    CHECK(std::isnan(y.data<float>()[0]));
    CHECK(y.data<float>()[1] == 0);
  });
}

TEST_CASE("scale_shift: shapes that disagree are refused") {
  Context context;
  const Tensor y({4, 3}), c({6});
  CHECK_THROWS_WITH_AS(
      scale_shift({.y = y, .x = y, .scale = c, .shift = Tensor({3}), .points = 2}, context),
      "scale_shift: scale [6] and shift [3] must be [6]", Error);
  CHECK_THROWS_AS(
      scale_shift({.y = y, .x = Tensor({3, 3}), .scale = c, .shift = c, .points = 2}, context),
      Error);
  CHECK_THROWS_WITH_AS(
      scale_shift({.y = y, .x = Tensor({4, 4}), .scale = c, .shift = c, .first = 2, .points = 2},
                  context),
      "scale_shift: x [4x4] must hold, from channel 2 on, the images of every point, or those of "
      "one, of y [4x3]",
      Error);
}
