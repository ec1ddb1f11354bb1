#include "kernels/batchnorm/batchnorm.h"
#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

// Elementwise formulas of a few roundings; sums in blocks of 64 float additions, then double.
constexpr double kTolerance = 2e-6;

// Rows: below one period of the vector code, exactly one, several blocks; channels: one, fewer than
// a vector, not a divisor of one, the zoo's.
const int64_t kRows[] = {1, 7, 64, 1000, 9001};
const int64_t kChannels[] = {1, 4, 13, 16, 33, 64};

}  // namespace

TEST_CASE("batchnorm: every row equals the reference") {
  for (int64_t rows : kRows)
    for (int64_t C : kChannels) {
      const std::string what = text("rows=", rows, " C=", C);
      const Shape x{rows, C}, v{C};
      check_op<BatchnormMomentsArgs>(
          "moments " + what,
          [&](Operands& o) {
            return BatchnormMomentsArgs{.moments = o.exact_output({2, C}), .x = o.normal(x)};
          },
          kTolerance);
      check_op<BatchnormNormaliseArgs>(
          "normalise " + what,
          [&](Operands& o) {
            return BatchnormNormaliseArgs{.y = o.output(x),
                                          .x = o.normal(x),
                                          .gamma = o.normal(v),
                                          .beta = o.normal(v),
                                          .mean = o.normal(v),
                                          .variance = o.uniform(v, 0.1, 2)};
          },
          kTolerance);
      check_op<BatchnormBackwardSumsArgs>(
          "backward sums " + what,
          [&](Operands& o) {
            return BatchnormBackwardSumsArgs{.dgamma = o.output(v),
                                             .dbeta = o.output(v),
                                             .dy = o.uniform(x, 0, 1),
                                             .x = o.normal(x),
                                             .mean = o.normal(v),
                                             .variance = o.uniform(v, 0.1, 2)};
          },
          kTolerance);
      for (Write write : {Write::overwrite, Write::accumulate})
        for (bool batch_statistics : {true, false})
          check_op<BatchnormBackwardArgs>(
              "backward " + what,
              [&](Operands& o) {
                BatchnormBackwardArgs args{.dx = o.output(x, write),
                                           .dy = o.normal(x),
                                           .x = o.normal(x),
                                           .gamma = o.normal(v),
                                           .mean = o.normal(v),
                                           .variance = o.uniform(v, 0.1, 2),
                                           .dgamma = {},
                                           .dbeta = {},
                                           .count = rows,
                                           .write = write};
                if (batch_statistics) args.dgamma = o.normal(v), args.dbeta = o.normal(v);
                return args;
              },
              kTolerance);
    }
}

TEST_CASE("batchnorm: moments keep their digits beside a large mean") {
  // 1e4 + noise of deviation 0.01: E[x^2] - mean^2 in float would return noise.
  Operands o(3, DType::f32);
  const Tensor x = o.normal({5000, 16}, 0.01);
  for (int64_t i = 0; i < x.size(); ++i) x.data<float>()[i] += 1e4f;
  Context context;
  Tensor fast({2, 16}, DType::f64), exact({2, 16}, DType::f64);
  batchnorm_moments({.moments = fast, .x = x}, context);
  batchnorm_moments({.moments = exact, .x = x.converted(DType::f64)}, context);
  CHECK(relative_error(exact.rows(0, 1), fast.rows(0, 1)) <= 1e-9);
  CHECK(relative_error(exact.rows(1, 2), fast.rows(1, 2)) <= 1e-4);
}

TEST_CASE("batchnorm: chunks combine into the moments of the whole, and move the running ones") {
  Operands o(4, DType::f64);
  const Tensor x = o.normal({100, 3}, 2.0);
  Context context;
  Tensor parts({3, 2, 3}, DType::f64), whole({2, 3}, DType::f64);
  const int64_t bounds[] = {0, 43, 86, 100};
  for (int64_t k = 0; k < 3; ++k)
    batchnorm_moments(
        {.moments = parts.rows(k, k + 1).reshaped({2, 3}), .x = x.rows(bounds[k], bounds[k + 1])},
        context);
  batchnorm_moments({.moments = whole, .x = x}, context);
  Tensor mean({3}, DType::f64), variance({3}, DType::f64);
  Tensor running_mean = Tensor::zeros({3}, DType::f64), running_variance({3}, DType::f64);
  for (int c = 0; c < 3; ++c) running_variance.data<double>()[c] = 1;
  batchnorm_combine({.mean = mean,
                     .variance = variance,
                     .running_mean = running_mean,
                     .running_variance = running_variance,
                     .moments = parts,
                     .count = 100,
                     .count_per_chunk = 43,
                     .momentum = 0.1},
                    context);
  for (int c = 0; c < 3; ++c) {
    const double m = whole.data<double>()[c], squares = whole.data<double>()[3 + c];
    CHECK(mean.data<double>()[c] == doctest::Approx(m).epsilon(1e-12));
    CHECK(variance.data<double>()[c] == doctest::Approx(squares / 100).epsilon(1e-12));
    CHECK(running_mean.data<double>()[c] == doctest::Approx(0.1 * m).epsilon(1e-12));
    CHECK(running_variance.data<double>()[c] ==
          doctest::Approx(0.9 + 0.1 * squares / 99).epsilon(1e-12));
  }
}
