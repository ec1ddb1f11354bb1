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
const int64_t kChannels[] = {1, 3, 4, 13, 16, 31, 33, 64, 100};

// Uniform values where there are many: normal ones take three times as long to make.

void check_moments(const Shape& x) {
  check_op<BatchnormMomentsArgs>(
      text("moments ", x),
      [&](Operands& o) {
        return BatchnormMomentsArgs{.moments = o.exact_output({2, x[1]}), .x = o.uniform(x, -2, 2)};
      },
      kTolerance);
}

void check_normalise(const Shape& x) {
  const Shape v{x[1]};
  for (const auto& [in_place, relu] :
       {std::pair(false, false), std::pair(true, false), std::pair(false, true)})
    check_op<BatchnormNormaliseArgs>(
        text("normalise ", x, in_place ? " in place" : "", relu ? " relu" : ""),
        [&, in_place = in_place, relu = relu](Operands& o) {
          const Tensor from = in_place ? o.in_out(x) : o.uniform(x, -2, 2);
          return BatchnormNormaliseArgs{.y = in_place ? from : o.output(x),
                                        .x = from,
                                        .gamma = o.normal(v),
                                        .beta = o.normal(v),
                                        .mean = o.normal(v),
                                        .variance = o.uniform(v, 0.1, 2),
                                        .relu = relu};
        },
        kTolerance);
}

void check_backward_sums(const Shape& x) {
  const Shape v{x[1]};
  check_op<BatchnormBackwardSumsArgs>(
      text("backward sums ", x),
      [&](Operands& o) {
        return BatchnormBackwardSumsArgs{.dgamma = o.output(v),
                                         .dbeta = o.output(v),
                                         .dy = o.uniform(x, 0, 1),
                                         .x = o.uniform(x, -2, 2),
                                         .mean = o.normal(v),
                                         .variance = o.uniform(v, 0.1, 2)};
      },
      kTolerance);
}

void check_backward(const Shape& x, Write write, bool batch_statistics, bool in_place) {
  const Shape v{x[1]};
  check_op<BatchnormBackwardArgs>(
      text("backward ", x, write == Write::accumulate ? " accumulate" : "",
           batch_statistics ? "" : " constant statistics", in_place ? " in place" : ""),
      [&](Operands& o) {
        const Tensor dy = in_place ? o.in_out(x) : o.uniform(x, -2, 2);
        BatchnormBackwardArgs args{.dx = in_place ? dy : o.output(x, write),
                                   .dy = dy,
                                   .x = {},
                                   .gamma = o.normal(v),
                                   .mean = {},
                                   .variance = o.uniform(v, 0.1, 2),
                                   .dgamma = {},
                                   .dbeta = {},
                                   .count = 2 * x[0] + 1,
                                   .write = write};
        if (batch_statistics) {
          args.x = o.uniform(x, -2, 2);
          args.mean = o.normal(v);
          args.dgamma = o.normal(v);
          args.dbeta = o.normal(v);
        }
        return args;
      },
      kTolerance);
}

/// Without gamma and beta: as with 1 and 0.
void check_without_parameters(const Shape& x) {
  const Shape v{x[1]};
  check_op<BatchnormNormaliseArgs>(
      text("normalise without parameters ", x),
      [&](Operands& o) {
        return BatchnormNormaliseArgs{.y = o.output(x),
                                      .x = o.uniform(x, -2, 2),
                                      .gamma = {},
                                      .beta = {},
                                      .mean = o.normal(v),
                                      .variance = o.uniform(v, 0.1, 2)};
      },
      kTolerance);
  check_op<BatchnormBackwardArgs>(
      text("backward without parameters ", x),
      [&](Operands& o) {
        return BatchnormBackwardArgs{.dx = o.output(x),
                                     .dy = o.uniform(x, -2, 2),
                                     .x = o.uniform(x, -2, 2),
                                     .gamma = {},
                                     .mean = o.normal(v),
                                     .variance = o.uniform(v, 0.1, 2),
                                     .dgamma = o.normal(v),
                                     .dbeta = o.normal(v),
                                     .count = 2 * x[0] + 1};
      },
      kTolerance);
}

void check_all(const Shape& x) {
  check_moments(x);
  check_normalise(x);
  check_backward_sums(x);
  for (Write write : {Write::overwrite, Write::accumulate})
    for (bool batch_statistics : {true, false}) check_backward(x, write, batch_statistics, false);
  check_backward(x, Write::overwrite, true, true);
}

}  // namespace

TEST_CASE("batchnorm: every implementation equals the reference") {
  for (int64_t C : kChannels) {
    for (int64_t rows : kRows)
      if (rows * C <= 64'000) check_all({rows, C});
  }
  check_all({2500, 13});
  check_all({70, 300});        // more channels than a block has threads
  check_moments({9001, 129});  // more rows than the largest grid has first turns for
}

TEST_CASE("batchnorm: without parameters gamma is 1 and beta 0") {
  for (const Shape& x : {Shape{64, 13}, Shape{7, 33}}) check_without_parameters(x);
  Context context;
  const Tensor x({4, 3}), c({3});
  CHECK_THROWS_WITH_AS(
      batchnorm_normalise({.y = x, .x = x, .gamma = c, .beta = {}, .mean = c, .variance = c},
                          context),
      "batchnorm_normalise: gamma without beta, or the reverse", Error);
}

TEST_CASE("batchnorm: no rows, no work") {
  check_normalise({0, 5});
  check_backward_sums({0, 5});
  check_backward({0, 5}, Write::overwrite, true, false);
}

TEST_CASE("batchnorm: moments keep their digits beside a large mean, and beside an outlier") {
  // 1e4 + noise of deviation 0.01: E[x^2] - mean^2 in float would return noise. In channel 3 the
  // first value lies 1e6 deviations away from all others.
  Operands o(3, DType::f32);
  const Tensor x = o.normal({5000, 16}, 0.01);
  for (int64_t i = 0; i < x.size(); ++i) x.data<float>()[i] += 1e4f;
  x.data<float>()[3] = 0;
  const Tensor exact({2, 16}, DType::f64);
  Context reference;
  batchnorm_moments({.moments = exact, .x = x.converted(DType::f64)}, reference);
  for_each_execution<BatchnormMomentsArgs>(
      [&](const auto& implementation, const Execution& execution, Context& context) {
        const Tensor moments({2, 16}, DType::f64, implementation.device);
        implementation.run({.moments = moments, .x = x.to(implementation.device)}, context);
        const Tensor got = moments.to(Device::cpu);
        CAPTURE(implementation.name);
        CAPTURE(execution.describe());
        for (int64_t c = 0; c < 16; ++c) {
          CAPTURE(c);
          const double mean = exact.data<double>()[c], squares = exact.data<double>()[16 + c];
          // Beside the outlier, sums of 64 deviations in float have lost up to 4e-6 of them.
          CHECK(got.data<double>()[c] == doctest::Approx(mean).epsilon(c == 3 ? 1e-7 : 1e-9));
          CHECK(got.data<double>()[16 + c] == doctest::Approx(squares).epsilon(1e-4));
        }
      });
}

TEST_CASE("batchnorm: equal values have variance 0; NaN stays in its channel") {
  const int64_t rows = 1000, C = 3;
  const Tensor x({rows, C});
  std::fill_n(x.data<float>(), x.size(), 0.1F);
  x.data<float>()[517 * C + 1] = std::nanf("");
  for_each_execution<BatchnormMomentsArgs>(
      [&](const auto& implementation, const Execution& execution, Context& context) {
        const Tensor moments({2, C}, DType::f64, implementation.device);
        implementation.run({.moments = moments, .x = x.to(implementation.device)}, context);
        const Tensor got = moments.to(Device::cpu);
        CAPTURE(implementation.name);
        CAPTURE(execution.describe());
        for (int64_t c : {0, 2}) {
          CHECK(got.data<double>()[c] == doctest::Approx(0.1F).epsilon(1e-12));
          CHECK(got.data<double>()[C + c] >= 0);
          CHECK(got.data<double>()[C + c] <= 1e-20);
        }
        CHECK(std::isnan(got.data<double>()[1]));
        CHECK(std::isnan(got.data<double>()[C + 1]));
      });
}

TEST_CASE("batchnorm: every implementation combines chunks as the reference does") {
  for (int64_t chunks : {1, 4})
    for (int64_t C : {1, 13, 1000})
      for (int64_t last : {1, 9})  // elements per channel of the last chunk; 9 of each other
        for (bool running : {false, true})
          check_op<BatchnormCombineArgs>(
              text("combine chunks=", chunks, " C=", C, " last=", last, " running=", running),
              [&](Operands& o) {
                Tensor moments = o.normal({chunks, 2, C}).to(Device::cpu).converted(DType::f64);
                for (int64_t k = 0; k < chunks; ++k)
                  for (int64_t c = 0; c < C; ++c) {
                    double& squares = moments.data<double>()[(2 * k + 1) * C + c];
                    squares *= squares;
                  }
                return BatchnormCombineArgs{.mean = o.output({C}),
                                            .variance = o.output({C}),
                                            .running_mean = running ? o.in_out({C}) : Tensor(),
                                            .running_variance = running ? o.in_out({C}) : Tensor(),
                                            .moments = o.given(moments),
                                            .count = (chunks - 1) * 9 + last,
                                            .count_per_chunk = 9,
                                            .momentum = 0.3};
              },
              2e-7);  // double inside, rounded once
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
