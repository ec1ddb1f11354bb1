#include "kernels/activation/activation.h"
#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

// One rounding of an elementwise function: a few ulp of float (6e-8).
constexpr double kTolerance = 1e-6;

TEST_CASE("activation: every row equals the reference at odd sizes") {
  for (Activation a : {Activation::relu, Activation::tanh, Activation::gelu}) {
    for (int64_t n : {0, 1, 31, 33, 1009}) {
      CAPTURE(n);
      check_op<ActivationForwardArgs>(
          text("forward ", name_of(a), " n=", n),
          [&](Operands& o) {
            return ActivationForwardArgs{.y = o.output({n}), .x = o.normal({n}), .activation = a};
          },
          kTolerance);
      for (Write write : {Write::overwrite, Write::accumulate}) {
        check_op<ActivationBackwardArgs>(
            text("backward ", name_of(a), " n=", n),
            [&](Operands& o) {
              return ActivationBackwardArgs{.dx = o.output({n}, write),
                                            .dy = o.normal({n}),
                                            .y = o.normal({n}, 0.5),
                                            .x = o.normal({n}),
                                            .activation = a,
                                            .write = write};
            },
            kTolerance);
      }
    }
  }
}

TEST_CASE("activation: NaN stays NaN through ReLU") {
  Tensor x = Tensor::zeros({40});
  x.data<float>()[3] = x.data<float>()[39] = std::nanf("");
  Context context;
  activation_forward({.y = x, .x = x}, context);
  CHECK(std::isnan(x.data<float>()[3]));
  CHECK(std::isnan(x.data<float>()[39]));
  CHECK(x.data<float>()[0] == 0);
}

TEST_CASE("activation: an unknown name is refused with the choices") {
  CHECK_THROWS_WITH_AS(activation_named("swish"),
                       "unknown activation 'swish': choose relu, tanh or gelu", Error);
}
