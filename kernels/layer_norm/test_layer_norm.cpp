#include "kernels/layer_norm/layer_norm.h"

#include "kernels/layer_norm/layer_norm_tangent.h"
#include "tests/ops/normalisation_check.h"

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

/// The family of operations, for what it shares with group_norm.
struct LayerNormOperations {
  using Forward = LayerNormArgs;
  using Backward = LayerNormBackwardArgs;
  using BackwardSums = LayerNormBackwardSumsArgs;
  using Tangent = LayerNormTangentArgs;
  using TangentBackward = LayerNormTangentBackwardArgs;
  using TangentSums = LayerNormTangentSumsArgs;
  template <class Args>
  void complete(Args&) const {}
};

}  // namespace

TEST_CASE("layer_norm: every implementation equals the reference") {
  for (const Shape& shape : kShapes) check_normalisation(LayerNormOperations{}, shape, kTolerance);
}

TEST_CASE("layer_norm: every implementation of the tangents equals the reference") {
  for (const Shape& shape : kShapes)
    check_normalisation_tangents(LayerNormOperations{}, shape, kTolerance);
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

TEST_CASE("layer_norm: a large mean costs no digits") {
  check_normalisation_far_from_zero(LayerNormOperations{}, {6, 100}, kTolerance);
}

TEST_CASE("layer_norm: more rows than a grid has warps") {
  // A GPU's grid has 32,768 warps, the emulator's 24.
  check_many_normalisations(LayerNormOperations{}, {is_available(Device::cuda) ? 33000 : 500, 3},
                            1e-5);
}

TEST_CASE("layer_norm: gradients and tangents equal central differences") {
  check_normalisation_differences(LayerNormOperations{}, {3, 5});
}

TEST_CASE("layer_norm: in place, forward and backward") {
  check_normalisation_in_place(LayerNormOperations{}, {5, 37});
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
