#include "kernels/resize/resize.h"

#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

struct ResizeCase {
  int64_t N, H, W, C, OH, OW;
  ResizeGeometry geometry;
  Shape image() const { return {N, H, W, C}; }
  Shape resized() const { return {N, OH, OW, C}; }
};

constexpr ResizeKind kNearest = ResizeKind::nearest, kBilinear = ResizeKind::bilinear;

/// No images, no channels, one pixel, up and down, by scales that the extents do not have, axes
/// that keep their extent, tails of vectors.
const ResizeCase kCases[] = {
    {0, 3, 3, 2, 5, 5, {kNearest}},
    {1, 3, 3, 0, 5, 5, {kBilinear}},
    {1, 1, 1, 1, 1, 1, {kBilinear}},
    {1, 1, 1, 3, 4, 3, {kBilinear, true}},
    {2, 5, 7, 33, 10, 14, {kNearest}},
    {1, 7, 5, 3, 3, 9, {kNearest}},
    {1, 6, 6, 2, 7, 4, {kNearest, false, 1.3, 0.7}},
    {2, 4, 5, 31, 8, 10, {kBilinear}},
    {1, 8, 9, 5, 3, 13, {kBilinear}},
    {1, 30, 31, 2, 30, 4, {kBilinear, false, 1.01, 0.15}},
    {1, 6, 7, 3, 9, 7, {kBilinear, true}},
    {1, 5, 5, 17, 1, 3, {kBilinear, true}},
};

}  // namespace

TEST_CASE("resize: every implementation equals the reference, forward and backward") {
  for (const ResizeCase& c : kCases) {
    const std::string what = text(name_of(c.geometry.kind), " ", c.image(), " to ", c.resized());
    check_op<ResizeForwardArgs>(
        "resize_forward " + what,
        [&](Operands& o) {
          return ResizeForwardArgs{
              .y = o.output(c.resized()), .x = o.normal(c.image()), .geometry = c.geometry};
        },
        5e-7);  // weights rounded to float, four terms
    for (Write write : {Write::overwrite, Write::accumulate})
      check_op<ResizeBackwardArgs>(
          "resize_backward " + what,
          [&](Operands& o) {
            return ResizeBackwardArgs{.dx = o.output(c.image(), write),
                                      .dy = o.normal(c.resized()),
                                      .geometry = c.geometry,
                                      .write = write};
          },
          1e-6);  // tens of terms
  }
}

TEST_CASE("resize: more elements than a grid has threads") {
  const Shape image{1, 300, 701, 5};
  check_op<ResizeForwardArgs>(
      "resize_forward",
      [&](Operands& o) { return ResizeForwardArgs{.y = o.output(image), .x = o.pattern(image)}; },
      0);
  check_op<ResizeBackwardArgs>(
      "resize_backward",
      [&](Operands& o) {
        return ResizeBackwardArgs{.dx = o.output(image), .dy = o.pattern(image)};
      },
      0);
}

// torch.nn.functional.interpolate of PyTorch 1.13, in double, of an image 5 x 3 whose pixel i is
// i * 7 mod 11.
TEST_CASE("resize: positions are PyTorch's") {
  const Tensor x({1, 5, 3, 1}, DType::f64);
  for (int64_t i = 0; i < 15; ++i) x.data<double>()[i] = static_cast<double>(i * 7 % 11);
  const auto check = [&](const ResizeGeometry& geometry, int64_t OH, int64_t OW,
                         const std::vector<double>& expected) {
    const Tensor y({1, OH, OW, 1}, DType::f64);
    Context context;
    resize_forward({.y = y, .x = x, .geometry = geometry}, context);
    for (int64_t i = 0; i < y.size(); ++i)
      CHECK(y.data<double>()[i] == doctest::Approx(expected[static_cast<size_t>(i)]));
  };
  check({.kind = ResizeKind::nearest}, 3, 7,
        {0, 0, 0, 7, 7, 3, 3, 10, 10, 10, 6, 6, 2, 2, 8, 8, 8, 4, 4, 0, 0});
  check({.kind = ResizeKind::nearest, .scale_h = 1.3, .scale_w = 2.5}, 6, 7,
        {0, 0, 0, 7, 7, 3, 3, 0, 0, 0, 7, 7, 3, 3, 10, 10, 10, 6, 6, 2, 2,
         9, 9, 9, 5, 5, 1, 1, 8, 8, 8, 4, 4, 0, 0, 8,  8,  8,  4, 4, 0, 0});
  check({.kind = ResizeKind::bilinear}, 3, 5,
        {3.33333333333, 4.66666666667, 6.66666666667, 4.26666666667, 2.66666666667, 9, 7.4, 5, 2.6,
         1, 7.33333333333, 5.73333333333, 3.33333333333, 5.33333333333, 6.66666666667});
  check({.kind = ResizeKind::bilinear, .scale_h = 0.7, .scale_w = 1.2}, 3, 3,
        {2.14285714286, 6.78571428571, 2.78571428571, 9.35714285714, 5.35714285714, 1.35714285714,
         7.92857142857, 3.92857142857, 0.714285714286});
  check({.kind = ResizeKind::bilinear, .align_corners = true}, 2, 7,
        {0, 2.33333333333, 4.66666666667, 7, 5.66666666667, 4.33333333333, 3, 7, 5.66666666667,
         4.33333333333, 3, 5.33333333333, 7.66666666667, 10});
}

TEST_CASE("resize: the nearest pixel is the one that PyTorch's product in float names") {
  // 10 / 30 rounds up in float, so that outputs 3, 6, ... read the pixel that they reach.
  const Tensor x({1, 10, 1, 1}), y({1, 30, 1, 1});
  for (int64_t i = 0; i < 10; ++i) x.data<float>()[i] = static_cast<float>(i);
  for_each_execution<ResizeForwardArgs>(
      [&](const auto& implementation, const Execution&, Context& context) {
        const Tensor there(y.shape(), DType::f32, implementation.device);
        implementation.run({.y = there, .x = x.to(implementation.device)}, context);
        const Tensor got = there.to(Device::cpu);
        const float step = 10.0F / 30.0F;
        for (int64_t o = 0; o < 30; ++o)
          CHECK(got.data<float>()[o] == std::floor(static_cast<float>(o) * step));
      });
}

TEST_CASE("resize: the gradient is the transpose") {
  for (const ResizeCase& c : kCases) {
    if (c.N == 0 || c.C == 0) continue;
    Operands o(3, DType::f64);
    const Tensor x = o.normal(c.image()), dy = o.normal(c.resized());
    const Tensor y = o.output(c.resized()), dx = o.output(c.image());
    Context context;
    resize_forward({.y = y, .x = x, .geometry = c.geometry}, context);
    resize_backward({.dx = dx, .dy = dy, .geometry = c.geometry}, context);
    const auto dot = [](const Tensor& a, const Tensor& b) {
      double sum = 0;
      for (int64_t i = 0; i < a.size(); ++i) sum += a.data<double>()[i] * b.data<double>()[i];
      return sum;
    };
    CHECK(dot(x, dx) == doctest::Approx(dot(y, dy)).epsilon(1e-12));
  }
}

TEST_CASE("resize: shapes that disagree are refused") {
  Context context;
  const Tensor x({1, 4, 4, 2}), y({1, 2, 2, 2});
  CHECK_THROWS_AS(resize_forward({.y = Tensor({1, 2, 2, 3}), .x = x}, context), Error);
  CHECK_THROWS_AS(resize_forward({.y = Tensor({1, 0, 2, 2}), .x = x}, context), Error);
  CHECK_THROWS_AS(resize_forward({.y = y, .x = x, .geometry = {kNearest, true}}, context), Error);
  CHECK_THROWS_AS(resize_forward({.y = y, .x = x, .geometry = {kNearest, false, -1}}, context),
                  Error);
}
