#include "kernels/group_norm/group_norm.h"

#include "kernels/group_norm/group_norm_tangent.h"
#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

struct GroupCase {
  Shape shape;
  int64_t groups;
};

/// No images, three elements, one channel, a group per channel, tails of vectors and warps, more
/// pixels than a sum in float has, vectors, several runs of pixels.
const GroupCase kCases[] = {{{0, 2, 2, 6}, 2}, {{1, 3, 1}, 1},      {{3, 7, 1}, 1},
                            {{5, 3, 2, 6}, 3}, {{2, 5, 3, 34}, 2},  {{1, 9, 7, 33}, 33},
                            {{4, 33}, 3},      {{2, 8, 10, 64}, 4}, {{3, 1, 2, 40}, 1}};

// Sums in float over 32 pixels, of terms of either sign, each rounded to 6e-8 of the partial sum,
// which is of the size of a few terms: some 1e-6 of a group's largest element. A variance near 0
// (two or three elements that happen to lie close) multiplies this by i: at most
// 1 / sqrt(variance) = 10 with these seeds. (A gradient in a group of one element is rounding, and
// so is almost all of one in a group of two, whose standardised values are -1 and 1.)
constexpr double kTolerance = 1e-5;

int64_t channels(const Shape& shape) {
  return shape[shape.rank() - 1];
}

}  // namespace

TEST_CASE("group_norm: every implementation equals the reference") {
  for (const GroupCase& c : kCases) {
    const Shape shape = c.shape, vector{channels(shape)};
    const int64_t groups = c.groups;
    check_op<GroupNormArgs>(
        text("group_norm ", shape, " in ", groups),
        [&](Operands& o) {
          return GroupNormArgs{.y = o.output(shape),
                               .x = o.normal(shape),
                               .gamma = o.normal(vector),
                               .beta = o.normal(vector),
                               .groups = groups};
        },
        kTolerance);
    for (Write write : {Write::overwrite, Write::accumulate}) {
      check_op<GroupNormBackwardArgs>(
          text("group_norm_backward ", shape),
          [&](Operands& o) {
            return GroupNormBackwardArgs{.dx = o.output(shape, write),
                                         .dy = o.normal(shape),
                                         .x = o.normal(shape),
                                         .gamma = o.normal(vector),
                                         .groups = groups,
                                         .write = write};
          },
          kTolerance);
      check_op<GroupNormBackwardSumsArgs>(
          text("group_norm_backward_sums ", shape),
          [&](Operands& o) {
            return GroupNormBackwardSumsArgs{.dgamma = o.output(vector, write),
                                             .dbeta = o.output(vector, write),
                                             .dy = o.normal(shape),
                                             .x = o.normal(shape),
                                             .groups = groups,
                                             .write = write};
          },
          kTolerance);
    }
  }
}

TEST_CASE("group_norm: every implementation of the tangents equals the reference") {
  for (const GroupCase& c : kCases) {
    const Shape shape = c.shape, vector{channels(shape)};
    const int64_t groups = c.groups;
    check_op<GroupNormTangentArgs>(
        text("group_norm_tangent ", shape),
        [&](Operands& o) {
          return GroupNormTangentArgs{.y_tangent = o.output(shape),
                                      .x_tangent = o.normal(shape),
                                      .x = o.normal(shape),
                                      .gamma = o.normal(vector),
                                      .gamma_tangent = o.normal(vector),
                                      .beta_tangent = o.normal(vector),
                                      .groups = groups};
        },
        kTolerance);
    for (Write write : {Write::overwrite, Write::accumulate}) {
      check_op<GroupNormTangentBackwardArgs>(
          text("group_norm_tangent_backward ", shape),
          [&](Operands& o) {
            return GroupNormTangentBackwardArgs{.dx_tangent = o.output(shape, write),
                                                .dy_tangent = o.normal(shape),
                                                .dy = o.normal(shape),
                                                .x_tangent = o.normal(shape),
                                                .x = o.normal(shape),
                                                .gamma = o.normal(vector),
                                                .gamma_tangent = o.normal(vector),
                                                .groups = groups,
                                                .write = write};
          },
          kTolerance);
      check_op<GroupNormTangentSumsArgs>(
          text("group_norm_tangent_sums ", shape),
          [&](Operands& o) {
            return GroupNormTangentSumsArgs{.dgamma_tangent = o.output(vector, write),
                                            .dbeta_tangent = o.output(vector, write),
                                            .dy_tangent = o.normal(shape),
                                            .dy = o.normal(shape),
                                            .x_tangent = o.normal(shape),
                                            .x = o.normal(shape),
                                            .groups = groups,
                                            .write = write};
          },
          kTolerance);
    }
  }
}

// x = 1000 + normal: floats of that size lie 6e-5 apart, and the inputs have been rounded to them
// for all implementations alike. E[x^2] - mean^2 in float would be off by about 1e6 * 6e-8 = 0.06.
TEST_CASE("group_norm: a large mean costs no digits") {
  const Shape shape{3, 4, 2, 24}, vector{24};
  const int64_t groups = 4;
  const Tensor far(shape);
  const Philox random(3, RandomStream::test);
  for (int64_t i = 0; i < far.size(); ++i)
    far.data<float>()[i] = static_cast<float>(1000 + random.normal(static_cast<uint64_t>(i)));
  check_op<GroupNormArgs>(
      "group_norm far from 0",
      [&](Operands& o) {
        return GroupNormArgs{.y = o.output(shape),
                             .x = o.given(far.converted(o.real())),
                             .gamma = o.normal(vector),
                             .beta = o.normal(vector),
                             .groups = groups};
      },
      kTolerance);
}

TEST_CASE("group_norm: more groups than a grid has warps") {
  // A GPU's grid has 32,768 warps, the emulator's 24.
  const Shape shape{is_available(Device::cuda) ? 17000 : 250, 2, 4}, vector{4};
  const int64_t groups = 2;
  check_op<GroupNormArgs>(
      "group_norm",
      [&](Operands& o) {
        return GroupNormArgs{.y = o.output(shape),
                             .x = o.pattern(shape),
                             .gamma = o.normal(vector),
                             .beta = o.normal(vector),
                             .groups = groups};
      },
      1e-5);
  check_op<GroupNormBackwardSumsArgs>(
      "group_norm_backward_sums",
      [&](Operands& o) {
        return GroupNormBackwardSumsArgs{.dgamma = o.output(vector),
                                         .dbeta = o.output(vector),
                                         .dy = o.pattern(shape),
                                         .x = o.pattern(shape),
                                         .groups = groups};
      },
      1e-5);
}

/// Holds an operation against central differences of another one, both the references in double.
TEST_CASE("group_norm: gradients and tangents equal central differences") {
  const Shape shape{2, 3, 6}, vector{6};
  Operands o(7, DType::f64);
  const Tensor x = o.normal(shape), v = o.normal(shape), dy = o.normal(shape), w = o.normal(shape),
               gamma = o.normal(vector), gamma_tangent = o.normal(vector), beta = o.normal(vector),
               beta_tangent = o.normal(vector);
  Context context;
  const double h = 1e-5;
  const auto moved = [&](const Tensor& t, double step, const Tensor& direction) {
    const Tensor result = t.clone();
    for (int64_t i = 0; i < t.size(); ++i)
      result.data<double>()[i] += step * direction.data<double>()[i];
    return result;
  };
  const auto check = [&](const char* what, const Tensor& got, const auto& at) {
    const Tensor up = at(h), down = at(-h);
    const Tensor expected = up.clone();
    for (int64_t i = 0; i < up.size(); ++i)
      expected.data<double>()[i] = (up.data<double>()[i] - down.data<double>()[i]) / (2 * h);
    CHECK_MESSAGE(relative_error(expected, got) <= 1e-8, what);  // h^2 f''' / 6 + 1e-16 / h
  };
  const auto y_at = [&](double step) {
    const Tensor y(shape, DType::f64);
    group_norm({.y = y,
                .x = moved(x, step, v),
                .gamma = moved(gamma, step, gamma_tangent),
                .beta = moved(beta, step, beta_tangent),
                .groups = 2},
               context);
    return y;
  };
  const Tensor y_tangent(shape, DType::f64), dx(shape, DType::f64), dx_tangent(shape, DType::f64);
  const Tensor dgamma(vector, DType::f64), dbeta(vector, DType::f64),
      dgamma_tangent(vector, DType::f64), dbeta_tangent(vector, DType::f64);
  group_norm_tangent({.y_tangent = y_tangent,
                      .x_tangent = v,
                      .x = x,
                      .gamma = gamma,
                      .gamma_tangent = gamma_tangent,
                      .beta_tangent = beta_tangent,
                      .groups = 2},
                     context);
  check("y'", y_tangent, y_at);

  // The gradient's part along a direction is dy times the tangent of y.
  group_norm_backward({.dx = dx, .dy = dy, .x = x, .gamma = gamma, .groups = 2}, context);
  group_norm_backward_sums({.dgamma = dgamma, .dbeta = dbeta, .dy = dy, .x = x, .groups = 2},
                           context);
  const auto dot = [](const Tensor& a, const Tensor& b) {
    double sum = 0;
    for (int64_t i = 0; i < a.size(); ++i) sum += a.data<double>()[i] * b.data<double>()[i];
    return sum;
  };
  CHECK(dot(dx, v) + dot(dgamma, gamma_tangent) + dot(dbeta, beta_tangent) ==
        doctest::Approx(dot(dy, y_tangent)).epsilon(1e-12));

  group_norm_tangent_backward({.dx_tangent = dx_tangent,
                               .dy_tangent = w,
                               .dy = dy,
                               .x_tangent = v,
                               .x = x,
                               .gamma = gamma,
                               .gamma_tangent = gamma_tangent,
                               .groups = 2},
                              context);
  check("dx'", dx_tangent, [&](double step) {
    const Tensor result(shape, DType::f64);
    group_norm_backward({.dx = result,
                         .dy = moved(dy, step, w),
                         .x = moved(x, step, v),
                         .gamma = moved(gamma, step, gamma_tangent),
                         .groups = 2},
                        context);
    return result;
  });
  group_norm_tangent_sums({.dgamma_tangent = dgamma_tangent,
                           .dbeta_tangent = dbeta_tangent,
                           .dy_tangent = w,
                           .dy = dy,
                           .x_tangent = v,
                           .x = x,
                           .groups = 2},
                          context);
  for (bool scale : {true, false})
    check(scale ? "dgamma'" : "dbeta'", scale ? dgamma_tangent : dbeta_tangent, [&](double step) {
      const Tensor a(vector, DType::f64), b(vector, DType::f64);
      group_norm_backward_sums(
          {.dgamma = a, .dbeta = b, .dy = moved(dy, step, w), .x = moved(x, step, v), .groups = 2},
          context);
      return scale ? a : b;
    });
}

TEST_CASE("group_norm: in place, forward and backward") {
  const Shape shape{2, 5, 36}, vector{36};
  for_each_execution<GroupNormArgs>(
      [&](const auto& implementation, const Execution&, Context& context) {
        Operands o(1, DType::f32, implementation.device);
        const Tensor x = o.normal(shape), gamma = o.normal(vector), beta = o.normal(vector);
        const Tensor y = o.output(shape);
        implementation.run({.y = y, .x = x, .gamma = gamma, .beta = beta, .groups = 3}, context);
        implementation.run({.y = x, .x = x, .gamma = gamma, .beta = beta, .groups = 3}, context);
        CHECK(relative_error(y.to(Device::cpu), x.to(Device::cpu)) == 0);
      });
  for_each_execution<GroupNormTangentBackwardArgs>(
      [&](const auto& implementation, const Execution&, Context& context) {
        Operands o(2, DType::f32, implementation.device);
        const Tensor dy_tangent = o.normal(shape), dx_tangent = o.output(shape);
        GroupNormTangentBackwardArgs args{.dx_tangent = dx_tangent,
                                          .dy_tangent = dy_tangent,
                                          .dy = o.normal(shape),
                                          .x_tangent = o.normal(shape),
                                          .x = o.normal(shape),
                                          .gamma = o.normal(vector),
                                          .gamma_tangent = o.normal(vector),
                                          .groups = 3};
        implementation.run(args, context);
        args.dx_tangent = dy_tangent;
        implementation.run(args, context);
        CHECK(relative_error(dx_tangent.to(Device::cpu), dy_tangent.to(Device::cpu)) == 0);
      });
}

// As torch.nn.functional.group_norm of PyTorch 1.13 does, in double, of an image [C=4, H=1, W=3]
// with x[c][w] = (5 c + 3 w) mod 7, in 2 groups, weight c + 1, bias c / 10.
TEST_CASE("group_norm: groups are PyTorch's") {
  const Tensor x({1, 1, 3, 4}, DType::f64), gamma({4}, DType::f64), beta({4}, DType::f64);
  for (int64_t i = 0; i < 12; ++i)
    x.data<double>()[i] = static_cast<double>((5 * (i % 4) + 3 * (i / 4)) % 7);
  for (int64_t c = 0; c < 4; ++c) {
    gamma.data<double>()[c] = static_cast<double>(c + 1);
    beta.data<double>()[c] = static_cast<double>(c) / 10;
  }
  const auto check = [&](const GroupNormArgs& args, const std::vector<double>& expected) {
    Context context;
    group_norm(args, context);
    for (int64_t i = 0; i < 12; ++i)
      CHECK(args.y.data<double>()[i] == doctest::Approx(expected[static_cast<size_t>(i)]));
  };
  const Tensor y(x.shape(), DType::f64);
  check({.y = y, .x = x, .gamma = gamma, .beta = beta, .groups = 2, .epsilon = 1e-2},
        {-1.49573845144, 1.83190768062, 0.706441831392, -3.07627887595, -0.0787230763917,
         -1.94679998618, 5.26441831392, 3.00102310076, 1.33829229866, 0.887230763917,
         -0.812883662784, -5.10204620151});
  // torch.nn.functional.instance_norm
  check({.y = y, .x = x, .gamma = {}, .beta = {}, .groups = 4, .epsilon = 1e-3},
        {-1.22464282207, 0.980411003853, -0.392164401541, -0.392164401541, -5.55111512313e-17,
         -1.37257540539, 1.37257540539, 1.37257540539, 1.22464282207, 0.392164401541,
         -0.980411003853, -0.980411003853});
  // torch.nn.functional.layer_norm over the whole image
  check({.y = y, .x = x, .gamma = {}, .beta = {}, .groups = 1, .epsilon = 1e-5},
        {-1.41594677106, 1.01139055076, 0.0404556220304, -0.9304793067, 0.0404556220304,
         -0.9304793067, 1.49685801513, 0.525923086395, 1.49685801513, 0.525923086395,
         -0.445011842335, -1.41594677106});
}

TEST_CASE("group_norm: shapes that disagree are refused") {
  Context context;
  const Tensor x({2, 4, 6}), c({6});
  const auto refuses = [&](const GroupNormArgs& args, const char* message) {
    CHECK_THROWS_WITH_AS(group_norm(args, context), message, Error);
  };
  refuses({.y = Tensor({2, 6, 4}), .x = x, .gamma = c, .beta = c},
          "group_norm: [2x6x4] of f32 beside x, [2x4x6] of f32");
  refuses({.y = x, .x = x, .gamma = c, .beta = c, .groups = 4},
          "group_norm: 6 channels do not make 4 groups");
  refuses({.y = x, .x = x, .gamma = c, .beta = {}},
          "group_norm: some of the parameters are there, and some are not");
  refuses({.y = x, .x = x, .gamma = Tensor({4}), .beta = c},
          "group_norm: [4] of f32 for the 6 channels of x, of f32");
  CHECK_THROWS_AS(group_norm({.y = x, .x = x, .gamma = c, .beta = c, .epsilon = 0}, context),
                  Error);
  const Tensor empty({2, 0, 6});
  CHECK_THROWS_AS(group_norm({.y = empty, .x = empty, .gamma = c, .beta = c}, context), Error);
}
