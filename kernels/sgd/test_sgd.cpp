#include "kernels/sgd/sgd.h"
#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

constexpr std::pair<int64_t, bool> kSizesAndMasks[] = {{0, false},  {1, false},    {31, false},
                                                       {33, false}, {1009, false}, {1, true},
                                                       {33, true},  {1009, true}};

}  // namespace

TEST_CASE("sgd: every implementation equals the reference in every variant") {
  struct Variant {
    double momentum;
    bool nesterov, first_step;
  };
  const Variant variants[] = {{0, false, false},  {0, false, true},   {0.9, false, false},
                              {0.9, false, true}, {0.9, true, false}, {0.9, true, true}};
  for (const auto& [momentum, nesterov, first_step] : variants)
    for (double weight_decay : {0.0, 5e-4, 0.3})
      for (const auto& [n, masked] : kSizesAndMasks)
        check_op<SgdArgs>(
            text("sgd n=", n, " momentum=", momentum, " nesterov=", nesterov, " first=", first_step,
                 masked ? " masked" : ""),
            [&, n = n, masked = masked, momentum = momentum, nesterov = nesterov,
             first_step = first_step](Operands& o) {
              SgdArgs args{.theta = o.in_out({n}), .gradient = o.normal({n})};
              // On the first step the buffer is poisoned: it must not be read.
              if (momentum > 0) args.momentum_buffer = first_step ? o.output({n}) : o.in_out({n});
              if (masked) args.decay_mask = o.zeros_and_ones({n});
              args.learning_rate = 0.1;
              args.momentum = momentum;
              args.weight_decay = weight_decay;
              args.nesterov = nesterov;
              args.first_step = first_step;
              return args;
            },
            1e-6);  // five operations in f32
}

TEST_CASE("sgd: three steps as torch.optim.SGD takes them") {
  // theta = 1, gradients 1, -2, 3; lr 0.1, momentum 0.9, weight decay 0.01, worked by hand in
  // double from PyTorch's documented pseudocode.
  Context context;
  for (bool nesterov : {false, true}) {
    const Tensor theta = Tensor::zeros({1}, DType::f64), buffer({1}, DType::f64);
    const Tensor gradient({1}, DType::f64);
    theta.data<double>()[0] = 1;
    double expected = 1;
    double velocity = 0;
    const double gradients[] = {1, -2, 3};
    for (int step = 0; step < 3; ++step) {
      gradient.data<double>()[0] = gradients[step];
      sgd({.theta = theta,
           .momentum_buffer = buffer,
           .gradient = gradient,
           .learning_rate = 0.1,
           .momentum = 0.9,
           .weight_decay = 0.01,
           .nesterov = nesterov,
           .first_step = step == 0},
          context);
      const double g = gradients[step] + 0.01 * expected;
      velocity = step == 0 ? g : 0.9 * velocity + g;
      expected -= 0.1 * (nesterov ? g + 0.9 * velocity : velocity);
      CHECK(theta.data<double>()[0] == doctest::Approx(expected).epsilon(1e-14));
    }
  }
}

// Equal to the bit, because a mask selects and does not multiply.
TEST_CASE("sgd: what a mask leaves out moves as without weight decay, the rest as with it") {
  const int64_t n = 101;
  for_each_execution<SgdArgs>(
      [&](const auto& implementation, const Execution& execution, Context& context) {
        const auto after = [&](double weight_decay, bool masked) {
          Operands o(3, DType::f32, implementation.device);
          SgdArgs args{.theta = o.in_out({n}),
                       .momentum_buffer = o.in_out({n}),
                       .gradient = o.normal({n}),
                       .learning_rate = 0.1,
                       .momentum = 0.9,
                       .weight_decay = weight_decay};
          const Tensor mask = o.zeros_and_ones({n});
          if (masked) args.decay_mask = mask;
          implementation.run(args, context);
          return std::pair(args.theta.to(Device::cpu).clone(), mask.to(Device::cpu).clone());
        };
        const auto [got, mask] = after(0.3, true);
        const Tensor with = after(0.3, false).first, without = after(0, false).first;
        int64_t decayed = 0;
        for (int64_t i = 0; i < n; ++i) {
          const bool decays = mask.template data<float>()[i] != 0;
          decayed += decays;
          CHECK_MESSAGE(got.template data<float>()[i] == (decays ? with : without).data<float>()[i],
                        implementation.name, " on ", execution.describe());
        }
        CHECK(decayed > 30);
        CHECK(decayed < 70);
      });
}

TEST_CASE("sgd: arguments that make no sense are refused") {
  Context context;
  const Tensor theta = Tensor::zeros({3});
  CHECK_THROWS_AS(sgd({.theta = theta, .gradient = Tensor({2})}, context), Error);
  CHECK_THROWS_AS(sgd({.theta = theta, .gradient = theta, .momentum = 0.9}, context), Error);
  CHECK_THROWS_AS(sgd({.theta = theta, .gradient = theta, .decay_mask = Tensor({2})}, context),
                  Error);
  CHECK_THROWS_WITH_AS(sgd({.theta = theta, .gradient = theta, .nesterov = true}, context),
                       "sgd: Nesterov's step needs a momentum above 0", Error);
  CHECK_THROWS_AS(sgd({.theta = theta, .gradient = theta, .learning_rate = std::nan("")}, context),
                  Error);
  CHECK_THROWS_AS(sgd({.theta = theta, .gradient = theta, .momentum = std::nan("")}, context),
                  Error);
}
