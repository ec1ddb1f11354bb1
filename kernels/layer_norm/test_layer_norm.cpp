#include "kernels/layer_norm/layer_norm.h"

#include "kernels/layer_norm/layer_norm_tangent.h"
#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

/// No rows, one element, one channel, tails of vectors and warps, several runs of rows.
const Shape kShapes[] = {{0, 2, 2, 5},  {1, 1},  {3, 7, 1},      {5, 2, 3},
                         {2, 3, 3, 31}, {4, 33}, {2, 8, 10, 64}, {3, 257}};

// Sums of C <= 257 terms of either sign in float, each rounded to 6e-8 of the partial sum, which is
// of the size of a few terms: some 1e-6 of a row's largest element. A variance near 0 (one channel,
// or two or three that happen to lie close) multiplies this by i: at most 1 / sqrt(variance) = 10
// with these seeds.
constexpr double kTolerance = 1e-5;

int64_t channels(const Shape& shape) {
  return shape[shape.rank() - 1];
}

}  // namespace

TEST_CASE("layer_norm: every implementation equals the reference") {
  for (const Shape& shape : kShapes) {
    const Shape vector{channels(shape)};
    check_op<LayerNormArgs>(
        text("layer_norm ", shape),
        [&](Operands& o) {
          return LayerNormArgs{.y = o.output(shape),
                               .x = o.normal(shape),
                               .gamma = o.normal(vector),
                               .beta = o.normal(vector)};
        },
        kTolerance);
    for (Write write : {Write::overwrite, Write::accumulate}) {
      check_op<LayerNormBackwardArgs>(
          text("layer_norm_backward ", shape),
          [&](Operands& o) {
            return LayerNormBackwardArgs{.dx = o.output(shape, write),
                                         .dy = o.normal(shape),
                                         .x = o.normal(shape),
                                         .gamma = o.normal(vector),
                                         .write = write};
          },
          kTolerance);
      check_op<LayerNormBackwardSumsArgs>(
          text("layer_norm_backward_sums ", shape),
          [&](Operands& o) {
            return LayerNormBackwardSumsArgs{.dgamma = o.output(vector, write),
                                             .dbeta = o.output(vector, write),
                                             .dy = o.normal(shape),
                                             .x = o.normal(shape),
                                             .write = write};
          },
          kTolerance);
    }
  }
}

TEST_CASE("layer_norm: every implementation of the tangents equals the reference") {
  for (const Shape& shape : kShapes) {
    const Shape vector{channels(shape)};
    check_op<LayerNormTangentArgs>(
        text("layer_norm_tangent ", shape),
        [&](Operands& o) {
          return LayerNormTangentArgs{.y_tangent = o.output(shape),
                                      .x_tangent = o.normal(shape),
                                      .x = o.normal(shape),
                                      .gamma = o.normal(vector),
                                      .gamma_tangent = o.normal(vector),
                                      .beta_tangent = o.normal(vector)};
        },
        kTolerance);
    for (Write write : {Write::overwrite, Write::accumulate}) {
      check_op<LayerNormTangentBackwardArgs>(
          text("layer_norm_tangent_backward ", shape),
          [&](Operands& o) {
            return LayerNormTangentBackwardArgs{.dx_tangent = o.output(shape, write),
                                                .dy_tangent = o.normal(shape),
                                                .dy = o.normal(shape),
                                                .x_tangent = o.normal(shape),
                                                .x = o.normal(shape),
                                                .gamma = o.normal(vector),
                                                .gamma_tangent = o.normal(vector),
                                                .write = write};
          },
          kTolerance);
      check_op<LayerNormTangentSumsArgs>(
          text("layer_norm_tangent_sums ", shape),
          [&](Operands& o) {
            return LayerNormTangentSumsArgs{.dgamma_tangent = o.output(vector, write),
                                            .dbeta_tangent = o.output(vector, write),
                                            .dy_tangent = o.normal(shape),
                                            .dy = o.normal(shape),
                                            .x_tangent = o.normal(shape),
                                            .x = o.normal(shape),
                                            .write = write};
          },
          kTolerance);
    }
  }
}

TEST_CASE("layer_norm: without parameters gamma is 1 and beta 0") {
  const Shape shape{3, 37};
  check_op<LayerNormArgs>(
      "layer_norm",
      [&](Operands& o) {
        return LayerNormArgs{.y = o.output(shape), .x = o.normal(shape), .gamma = {}, .beta = {}};
      },
      kTolerance);
  check_op<LayerNormBackwardArgs>(
      "layer_norm_backward",
      [&](Operands& o) {
        return LayerNormBackwardArgs{
            .dx = o.output(shape), .dy = o.normal(shape), .x = o.normal(shape), .gamma = {}};
      },
      kTolerance);
  check_op<LayerNormTangentArgs>(
      "layer_norm_tangent",
      [&](Operands& o) {
        return LayerNormTangentArgs{.y_tangent = o.output(shape),
                                    .x_tangent = o.normal(shape),
                                    .x = o.normal(shape),
                                    .gamma = {},
                                    .gamma_tangent = {},
                                    .beta_tangent = {}};
      },
      kTolerance);
  check_op<LayerNormTangentBackwardArgs>(
      "layer_norm_tangent_backward",
      [&](Operands& o) {
        return LayerNormTangentBackwardArgs{.dx_tangent = o.output(shape),
                                            .dy_tangent = o.normal(shape),
                                            .dy = o.normal(shape),
                                            .x_tangent = o.normal(shape),
                                            .x = o.normal(shape),
                                            .gamma = {},
                                            .gamma_tangent = {}};
      },
      kTolerance);
  // The reference, against parameters that are there.
  Operands o(5, DType::f64);
  const Tensor x = o.normal(shape), y = o.output(shape), plain = o.output(shape);
  const Tensor ones({37}, DType::f64), zeros = Tensor::zeros({37}, DType::f64);
  std::fill_n(ones.data<double>(), 37, 1.0);
  Context context;
  layer_norm({.y = y, .x = x, .gamma = ones, .beta = zeros}, context);
  layer_norm({.y = plain, .x = x, .gamma = {}, .beta = {}}, context);
  CHECK(relative_error(y, plain) == 0);
}

TEST_CASE("layer_norm: rows as long as an image are summed without losing digits") {
  const Shape shape{2, 20011}, vector{20011};
  check_op<LayerNormArgs>(
      "layer_norm",
      [&](Operands& o) {
        return LayerNormArgs{.y = o.output(shape),
                             .x = o.normal(shape),
                             .gamma = o.normal(vector),
                             .beta = o.normal(vector)};
      },
      2e-6);  // sums of 4096 in 8 lanes or more: sqrt(512) roundings of 6e-8
}

// x = 1000 + normal: floats of that size lie 6e-5 apart, and the inputs have been rounded to them
// for all implementations alike. E[x^2] - mean^2 in float would be off by about 1e6 * 6e-8 = 0.06.
TEST_CASE("layer_norm: a large mean costs no digits") {
  const Shape shape{6, 100}, vector{100};
  const Tensor far(shape);
  const Philox random(3, RandomStream::test);
  for (int64_t i = 0; i < far.size(); ++i)
    far.data<float>()[i] = static_cast<float>(1000 + random.normal(static_cast<uint64_t>(i)));
  check_op<LayerNormArgs>(
      "layer_norm far from 0",
      [&](Operands& o) {
        return LayerNormArgs{.y = o.output(shape),
                             .x = o.given(far.converted(o.real())),
                             .gamma = o.normal(vector),
                             .beta = o.normal(vector)};
      },
      kTolerance);
}

TEST_CASE("layer_norm: more rows than a grid has warps") {
  // A GPU's grid has 32,768 warps, the emulator's 24.
  const Shape shape{is_available(Device::cuda) ? 33000 : 500, 3}, vector{3};
  check_op<LayerNormArgs>(
      "layer_norm",
      [&](Operands& o) {
        return LayerNormArgs{.y = o.output(shape),
                             .x = o.pattern(shape),
                             .gamma = o.normal(vector),
                             .beta = o.normal(vector)};
      },
      1e-5);
  check_op<LayerNormBackwardSumsArgs>(
      "layer_norm_backward_sums",
      [&](Operands& o) {
        return LayerNormBackwardSumsArgs{.dgamma = o.output(vector),
                                         .dbeta = o.output(vector),
                                         .dy = o.pattern(shape),
                                         .x = o.pattern(shape)};
      },
      1e-5);
}

/// Holds an operation against central differences of another one, both the references in double.
TEST_CASE("layer_norm: gradients and tangents equal central differences") {
  const Shape shape{3, 5}, vector{5};
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
    layer_norm({.y = y,
                .x = moved(x, step, v),
                .gamma = moved(gamma, step, gamma_tangent),
                .beta = moved(beta, step, beta_tangent)},
               context);
    return y;
  };
  const Tensor y_tangent(shape, DType::f64), dx(shape, DType::f64), dx_tangent(shape, DType::f64);
  const Tensor dgamma(vector, DType::f64), dbeta(vector, DType::f64),
      dgamma_tangent(vector, DType::f64), dbeta_tangent(vector, DType::f64);
  layer_norm_tangent({.y_tangent = y_tangent,
                      .x_tangent = v,
                      .x = x,
                      .gamma = gamma,
                      .gamma_tangent = gamma_tangent,
                      .beta_tangent = beta_tangent},
                     context);
  check("y'", y_tangent, y_at);

  // The gradient's part along a direction is dy times the tangent of y.
  layer_norm_backward({.dx = dx, .dy = dy, .x = x, .gamma = gamma}, context);
  layer_norm_backward_sums({.dgamma = dgamma, .dbeta = dbeta, .dy = dy, .x = x}, context);
  const auto dot = [](const Tensor& a, const Tensor& b) {
    double sum = 0;
    for (int64_t i = 0; i < a.size(); ++i) sum += a.data<double>()[i] * b.data<double>()[i];
    return sum;
  };
  CHECK(dot(dx, v) + dot(dgamma, gamma_tangent) + dot(dbeta, beta_tangent) ==
        doctest::Approx(dot(dy, y_tangent)).epsilon(1e-12));

  layer_norm_tangent_backward({.dx_tangent = dx_tangent,
                               .dy_tangent = w,
                               .dy = dy,
                               .x_tangent = v,
                               .x = x,
                               .gamma = gamma,
                               .gamma_tangent = gamma_tangent},
                              context);
  check("dx'", dx_tangent, [&](double step) {
    const Tensor result(shape, DType::f64);
    layer_norm_backward({.dx = result,
                         .dy = moved(dy, step, w),
                         .x = moved(x, step, v),
                         .gamma = moved(gamma, step, gamma_tangent)},
                        context);
    return result;
  });
  layer_norm_tangent_sums({.dgamma_tangent = dgamma_tangent,
                           .dbeta_tangent = dbeta_tangent,
                           .dy_tangent = w,
                           .dy = dy,
                           .x_tangent = v,
                           .x = x},
                          context);
  for (bool scale : {true, false})
    check(scale ? "dgamma'" : "dbeta'", scale ? dgamma_tangent : dbeta_tangent, [&](double step) {
      const Tensor a(vector, DType::f64), b(vector, DType::f64);
      layer_norm_backward_sums(
          {.dgamma = a, .dbeta = b, .dy = moved(dy, step, w), .x = moved(x, step, v)}, context);
      return scale ? a : b;
    });
}

TEST_CASE("layer_norm: in place, forward and backward") {
  const Shape shape{5, 37}, vector{37};
  for_each_execution<LayerNormArgs>(
      [&](const auto& implementation, const Execution&, Context& context) {
        Operands o(1, DType::f32, implementation.device);
        const Tensor x = o.normal(shape), gamma = o.normal(vector), beta = o.normal(vector);
        const Tensor y = o.output(shape);
        implementation.run({.y = y, .x = x, .gamma = gamma, .beta = beta}, context);
        implementation.run({.y = x, .x = x, .gamma = gamma, .beta = beta}, context);
        CHECK(relative_error(y.to(Device::cpu), x.to(Device::cpu)) == 0);
      });
  for_each_execution<LayerNormTangentBackwardArgs>(
      [&](const auto& implementation, const Execution&, Context& context) {
        Operands o(2, DType::f32, implementation.device);
        const Tensor dy_tangent = o.normal(shape), dx_tangent = o.output(shape);
        LayerNormTangentBackwardArgs args{.dx_tangent = dx_tangent,
                                          .dy_tangent = dy_tangent,
                                          .dy = o.normal(shape),
                                          .x_tangent = o.normal(shape),
                                          .x = o.normal(shape),
                                          .gamma = o.normal(vector),
                                          .gamma_tangent = o.normal(vector)};
        implementation.run(args, context);
        args.dx_tangent = dy_tangent;
        implementation.run(args, context);
        CHECK(relative_error(dx_tangent.to(Device::cpu), dy_tangent.to(Device::cpu)) == 0);
      });
}

TEST_CASE("layer_norm: shapes that disagree are refused") {
  Context context;
  const Tensor x({4, 3}), c({3});
  CHECK_THROWS_WITH_AS(layer_norm({.y = Tensor({3, 4}), .x = x, .gamma = c, .beta = c}, context),
                       "layer_norm: [3x4] of f32 beside x, [4x3] of f32", Error);
  CHECK_THROWS_WITH_AS(layer_norm({.y = x, .x = x, .gamma = Tensor({4}), .beta = c}, context),
                       "layer_norm: [4] of f32 for the 3 channels of x, of f32", Error);
  CHECK_THROWS_WITH_AS(layer_norm({.y = x, .x = x, .gamma = c, .beta = {}}, context),
                       "layer_norm: some of the parameters are there, and some are not", Error);
  CHECK_THROWS_AS(layer_norm({.y = x, .x = x, .gamma = c, .beta = c, .epsilon = 0}, context),
                  Error);
  CHECK_THROWS_AS(
      layer_norm(
          {.y = Tensor({4, 0}), .x = Tensor({4, 0}), .gamma = Tensor({0}), .beta = Tensor({0})},
          context),
      Error);
}
