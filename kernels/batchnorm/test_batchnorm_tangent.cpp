#include "kernels/batchnorm/batchnorm_tangent.h"

#include "kernels/batchnorm/batchnorm.h"
#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

// Elementwise formulas of a few roundings; sums in blocks of 64 float additions, then double.
constexpr double kTolerance = 5e-6;

const int64_t kRows[] = {1, 7, 64, 1000, 9001};
const int64_t kChannels[] = {1, 3, 13, 16, 31, 33, 100};

BatchnormTangentState state_of(Operands& o, const Shape& x, bool batch) {
  const Shape v{x[1]};
  BatchnormTangentState state{.mean = o.normal(v), .variance = o.uniform(v, 0.1, 2)};
  if (!batch) return state;
  state.count = 2 * x[0] + 1;
  const double n = static_cast<double>(state.count);
  state.sum_products = o.normal(v, n);
  state.sum_tangents = o.normal(v, n);
  return state;
}

void check_all(const Shape& x) {
  const Shape v{x[1]};
  for (bool batch : {false, true}) {
    const std::string what = text(x, batch ? "" : " constant statistics");
    for (bool in_place : {false, true})
      check_op<BatchnormTangentArgs>(
          text("tangent ", what, in_place ? " in place" : ""),
          [&](Operands& o) {
            const Tensor from = in_place ? o.in_out(x) : o.uniform(x, -2, 2);
            return BatchnormTangentArgs{.y_tangent = in_place ? from : o.output(x),
                                        .x_tangent = from,
                                        .x = o.uniform(x, -2, 2),
                                        .gamma = o.normal(v),
                                        .gamma_tangent = o.normal(v),
                                        .beta_tangent = o.normal(v),
                                        .state = state_of(o, x, batch)};
          },
          kTolerance);
    check_op<BatchnormTangentSumsArgs>(
        text("sums ", what),
        [&](Operands& o) {
          return BatchnormTangentSumsArgs{.dgamma_tangent = o.output(v),
                                          .dbeta_tangent = o.output(v),
                                          .dy_tangent = o.uniform(x, 0, 1),
                                          .dy = o.uniform(x, 0, 1),
                                          .x_tangent = o.uniform(x, -2, 2),
                                          .x = o.uniform(x, -2, 2),
                                          .state = state_of(o, x, batch)};
        },
        kTolerance);
    for (const auto& [write, in_place] :
         {std::pair(Write::overwrite, false), std::pair(Write::accumulate, false),
          std::pair(Write::overwrite, true)})
      check_op<BatchnormTangentBackwardArgs>(
          text("backward ", what, write == Write::accumulate ? " accumulate" : "",
               in_place ? " in place" : ""),
          [&, write = write, in_place = in_place](Operands& o) {
            const Tensor from = in_place ? o.in_out(x) : o.uniform(x, -2, 2);
            BatchnormTangentBackwardArgs args{.dx_tangent = in_place ? from : o.output(x, write),
                                              .dy_tangent = from,
                                              .dy = o.uniform(x, -2, 2),
                                              .x_tangent = {},
                                              .x = {},
                                              .gamma = o.normal(v),
                                              .gamma_tangent = o.normal(v),
                                              .state = state_of(o, x, batch),
                                              .write = write};
            if (batch) {
              args.x_tangent = o.uniform(x, -2, 2);
              args.x = o.uniform(x, -2, 2);
              for (Tensor BatchnormTangentBackwardArgs::*sum :
                   {&BatchnormTangentBackwardArgs::dgamma, &BatchnormTangentBackwardArgs::dbeta,
                    &BatchnormTangentBackwardArgs::dgamma_tangent,
                    &BatchnormTangentBackwardArgs::dbeta_tangent})
                args.*sum = o.normal(v, static_cast<double>(x[0]));
            }
            return args;
          },
          kTolerance);
  }
}

}  // namespace

TEST_CASE("batchnorm tangent: every implementation equals the reference") {
  for (int64_t C : kChannels)
    for (int64_t rows : kRows)
      if (rows * C <= 64'000) check_all({rows, C});
  check_all({70, 300});  // more channels than a block has threads
}

TEST_CASE("batchnorm tangent: without parameters gamma is 1, and nothing moves") {
  const Shape x{64, 13}, v{13};
  for (bool batch : {false, true}) {
    check_op<BatchnormTangentArgs>(
        text("tangent without parameters", batch ? "" : ", constant statistics"),
        [&](Operands& o) {
          return BatchnormTangentArgs{.y_tangent = o.output(x),
                                      .x_tangent = o.uniform(x, -2, 2),
                                      .x = o.uniform(x, -2, 2),
                                      .gamma = {},
                                      .gamma_tangent = {},
                                      .beta_tangent = {},
                                      .state = state_of(o, x, batch)};
        },
        kTolerance);
    check_op<BatchnormTangentBackwardArgs>(
        text("backward without parameters", batch ? "" : ", constant statistics"),
        [&](Operands& o) {
          BatchnormTangentBackwardArgs args{.dx_tangent = o.output(x),
                                            .dy_tangent = o.uniform(x, -2, 2),
                                            .dy = o.uniform(x, -2, 2),
                                            .x_tangent = o.uniform(x, -2, 2),
                                            .x = o.uniform(x, -2, 2),
                                            .gamma = {},
                                            .gamma_tangent = {},
                                            .state = state_of(o, x, batch)};
          if (!batch) return args;
          args.dgamma = o.normal(v, 64);
          args.dbeta = o.normal(v, 64);
          args.dgamma_tangent = o.normal(v, 64);
          args.dbeta_tangent = o.normal(v, 64);
          return args;
        },
        kTolerance);
  }
}

TEST_CASE("batchnorm tangent: no rows, no work") {
  check_all({0, 5});
}

TEST_CASE("batchnorm tangent: y' is the derivative of y, statistics and all") {
  const int64_t rows = 11, C = 3;
  const Shape shape{rows, C};
  Operands o(7, DType::f64);
  const Tensor x = o.normal(shape), x_tangent = o.normal(shape);
  const Tensor gamma = o.normal({C}), beta = o.normal({C});
  const Tensor gamma_tangent = o.normal({C}), beta_tangent = o.normal({C});
  Context context;
  const auto moved = [](const Tensor& t, double h, const Tensor& along) {
    const Tensor result = t.clone();
    for (int64_t i = 0; i < t.size(); ++i) result.data<double>()[i] += h * along.data<double>()[i];
    return result;
  };
  const Tensor mean({C}, DType::f64), variance({C}, DType::f64);
  const auto y_at = [&](double h) {
    const Tensor at = moved(x, h, x_tangent), y(shape, DType::f64), moments({1, 2, C}, DType::f64);
    batchnorm_moments({.moments = moments.reshaped({2, C}), .x = at}, context);
    batchnorm_combine({.mean = mean,
                       .variance = variance,
                       .running_mean = {},
                       .running_variance = {},
                       .moments = moments,
                       .count = rows,
                       .count_per_chunk = rows},
                      context);
    batchnorm_normalise({.y = y,
                         .x = at,
                         .gamma = moved(gamma, h, gamma_tangent),
                         .beta = moved(beta, h, beta_tangent),
                         .mean = mean,
                         .variance = variance},
                        context);
    return y;
  };
  const double h = 1e-5;
  const Tensor up = y_at(h), down = y_at(-h);
  y_at(0);  // leaves mean and variance
  const Tensor products({C}, DType::f64), tangents({C}, DType::f64), y_tangent(shape, DType::f64);
  batchnorm_backward_sums({.dgamma = products,
                           .dbeta = tangents,
                           .dy = x_tangent,
                           .x = x,
                           .mean = mean,
                           .variance = variance},
                          context);
  BatchnormTangentState state{.mean = mean, .variance = variance};
  state.sum_products = products;
  state.sum_tangents = tangents;
  state.count = rows;
  batchnorm_tangent({.y_tangent = y_tangent,
                     .x_tangent = x_tangent,
                     .x = x,
                     .gamma = gamma,
                     .gamma_tangent = gamma_tangent,
                     .beta_tangent = beta_tangent,
                     .state = state},
                    context);
  for (int64_t i = 0; i < x.size(); ++i)
    CHECK(y_tangent.data<double>()[i] ==
          doctest::Approx((up.data<double>()[i] - down.data<double>()[i]) / (2 * h)).epsilon(1e-8));
}

TEST_CASE("batchnorm tangent: sums that do not belong together are refused") {
  Operands o(1, DType::f32);
  BatchnormTangentArgs args{.y_tangent = o.output({4, 3}),
                            .x_tangent = o.normal({4, 3}),
                            .x = o.normal({4, 3}),
                            .gamma = o.normal({3}),
                            .gamma_tangent = o.normal({3}),
                            .beta_tangent = o.normal({3}),
                            .state = {.mean = o.normal({3}), .variance = o.uniform({3}, 1, 2)}};
  CHECK_NOTHROW(args.check());
  args.state.sum_products = o.normal({3});
  CHECK_THROWS_WITH_AS(args.check(), "batchnorm_tangent: one sum of the tangents without the other",
                       Error);
  args.state.sum_tangents = o.normal({3});
  CHECK_THROWS_WITH_AS(args.check(), "batchnorm_tangent: count is 0", Error);
  args.state.count = 4;
  CHECK_NOTHROW(args.check());
  args.x_tangent = o.normal({4, 2});
  CHECK_THROWS_AS(args.check(), Error);
}
