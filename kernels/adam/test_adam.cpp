#include "kernels/adam/adam.h"
#include "tests/ops/op_check.h"
#include "tests/pytorch_values.h"

using namespace topograd;
using namespace topograd::test;

namespace {

/// Returns a mean of squares: random and not negative.
Tensor squares(Operands& o, const Shape& shape) {
  return o.in_out_of(Operands(2, DType::f32).uniform(shape, 0, 3));
}

}  // namespace

TEST_CASE(
    "adam: every implementation equals the reference, coupled and decoupled, early and late") {
  for (bool decoupled : {false, true})
    for (int64_t step : {1, 2, 100000})
      for (bool masked : {false, true})
        for (int64_t n : {0, 1, 31, 33, 1009})
          check_op<AdamArgs>(
              text("adam n=", n, " decoupled=", decoupled, " step=", step, masked ? " masked" : ""),
              [&](Operands& o) {
                return AdamArgs{.theta = o.in_out({n}),
                                .m = o.in_out({n}),
                                .v = squares(o, {n}),
                                .gradient = o.normal({n}),
                                .decay_mask = masked ? o.zeros_and_ones({n}) : Tensor(),
                                .learning_rate = 1e-2,
                                .epsilon = 1e-2,      // large enough to be missed
                                .weight_decay = 0.2,  // large enough, too
                                .decoupled = decoupled,
                                .step = step};
              },
              2e-6);  // a dozen operations in f32
}

TEST_CASE("adam: the first step is the learning rate times the gradient's sign") {
  Context context;
  const Tensor theta = Tensor::zeros({2}, DType::f64), m = Tensor::zeros({2}, DType::f64);
  const Tensor v = Tensor::zeros({2}, DType::f64), gradient({2}, DType::f64);
  gradient.data<double>()[0] = 1e-3;
  gradient.data<double>()[1] = -1e5;
  adam({.theta = theta, .m = m, .v = v, .gradient = gradient, .learning_rate = 0.01, .epsilon = 0},
       context);
  CHECK(theta.data<double>()[0] == doctest::Approx(-0.01).epsilon(1e-12));
  CHECK(theta.data<double>()[1] == doctest::Approx(0.01).epsilon(1e-12));
}

TEST_CASE(
    "adam: steps as the paper's algorithm takes them, in its own notation, and as PyTorch's") {
  Context context;
  for (bool decoupled : {false, true}) {
    const Tensor theta({1}, DType::f64), gradient({1}, DType::f64);
    const Tensor m = Tensor::zeros({1}, DType::f64), v = Tensor::zeros({1}, DType::f64);
    double x = 0.5, mean = 0, square = 0;
    theta.data<double>()[0] = x;
    for (int64_t t = 1; t <= 4; ++t) {
      const double raw = t % 2 ? 0.3 : -0.7;
      gradient.data<double>()[0] = raw;
      adam({.theta = theta,
            .m = m,
            .v = v,
            .gradient = gradient,
            .learning_rate = 0.1,
            .beta1 = 0.8,
            .beta2 = 0.95,
            .epsilon = 1e-3,
            .weight_decay = 0.2,
            .decoupled = decoupled,
            .step = t},
           context);
      const double g = decoupled ? raw : raw + 0.2 * x;
      if (decoupled) x -= 0.1 * 0.2 * x;
      mean = 0.8 * mean + 0.2 * g;
      square = 0.95 * square + 0.05 * g * g;
      const double mean_hat = mean / (1 - std::pow(0.8, t));
      const double square_hat = square / (1 - std::pow(0.95, t));
      x -= 0.1 * mean_hat / (std::sqrt(square_hat) + 1e-3);
      CHECK(theta.data<double>()[0] == doctest::Approx(x).epsilon(1e-13));
      CHECK(theta.data<double>()[0] ==
            doctest::Approx((decoupled ? pytorch::kAdamW : pytorch::kAdam)[t - 1]).epsilon(1e-12));
    }
  }
}

TEST_CASE("adam: what a mask leaves out moves as without weight decay, the rest as with it") {
  const int64_t n = 101;
  for_each_execution<AdamArgs>([&](const auto& implementation, const Execution& execution,
                                   Context& context) {
    for (bool decoupled : {false, true}) {
      const auto after = [&](double weight_decay, bool masked) {
        Operands o(3, DType::f32, implementation.device);
        AdamArgs args{.theta = o.in_out({n}),
                      .m = o.in_out({n}),
                      .v = squares(o, {n}),
                      .gradient = o.normal({n}),
                      .learning_rate = 0.1,
                      .weight_decay = weight_decay,
                      .decoupled = decoupled};
        const Tensor mask = o.zeros_and_ones({n});
        if (masked) args.decay_mask = mask;
        implementation.run(args, context);
        return std::pair(args.theta.to(Device::cpu).clone(), mask.to(Device::cpu).clone());
      };
      const auto [got, mask] = after(0.3, true);
      const Tensor with = after(0.3, false).first, without = after(0, false).first;
      for (int64_t i = 0; i < n; ++i) {
        const bool decays = mask.template data<float>()[i] != 0;
        CHECK_MESSAGE(got.template data<float>()[i] == (decays ? with : without).data<float>()[i],
                      implementation.name, " on ", execution.describe());
      }
    }
  });
}

TEST_CASE("adam: arguments that make no sense are refused") {
  Context context;
  const Tensor t = Tensor::zeros({3});
  CHECK_THROWS_WITH_AS(adam({.theta = t, .m = t, .v = t, .gradient = t, .step = 0}, context),
                       "adam: steps count from 1, got 0", Error);
  CHECK_THROWS_AS(adam({.theta = t, .m = t, .v = t, .gradient = t, .beta1 = 1}, context), Error);
  CHECK_THROWS_AS(adam({.theta = t, .m = t, .v = t, .gradient = t, .beta2 = std::nan("")}, context),
                  Error);
  CHECK_THROWS_AS(adam({.theta = t, .m = t, .v = t, .gradient = t, .epsilon = -1}, context), Error);
  CHECK_THROWS_AS(adam({.theta = t, .m = t, .v = Tensor({2}), .gradient = t}, context), Error);
  CHECK_THROWS_AS(
      adam({.theta = t, .m = t, .v = t, .gradient = t, .decay_mask = Tensor({2})}, context), Error);
}
