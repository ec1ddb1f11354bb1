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

TEST_CASE("activation: NaN stays NaN, and only where it was") {
  for (const char* row : {"reference", "highway"})
    for (Activation a : {Activation::relu, Activation::tanh, Activation::gelu}) {
      Context context;
      context.force_implementation("activation", row);
      const Tensor x = Tensor::zeros({40});
      x.data<float>()[3] = x.data<float>()[39] = std::nanf("");  // in a vector, and in the tail
      const Tensor y({40});
      activation_forward({.y = y, .x = x, .activation = a}, context);
      for (int64_t i = 0; i < 40; ++i) CHECK(std::isnan(y.data<float>()[i]) == (i == 3 || i == 39));
      if (a == Activation::relu) continue;  // its slope at NaN is 0
      const Tensor dx({40}), dy = Tensor::zeros({40});
      activation_backward({.dx = dx, .dy = dy, .y = x, .x = x, .activation = a}, context);
      for (int64_t i = 0; i < 40; ++i)
        CHECK(std::isnan(dx.data<float>()[i]) == (i == 3 || i == 39));
    }
}

TEST_CASE("activation: far out, tanh is 1 and GELU is x or nothing") {
  const float inf = std::numeric_limits<float>::infinity();
  for (const char* row : {"reference", "highway"}) {
    Context context;
    context.force_implementation("activation", row);
    for (float x : {20.0F, 1e4F, 1e30F, inf}) {
      const Tensor in({2}), out({2});
      in.data<float>()[0] = x;
      in.data<float>()[1] = -x;
      activation_forward({.y = out, .x = in, .activation = Activation::tanh}, context);
      CHECK(out.data<float>()[0] == 1);
      CHECK(out.data<float>()[1] == -1);
      activation_forward({.y = out, .x = in, .activation = Activation::gelu}, context);
      CHECK(out.data<float>()[0] == x);
      if (x < inf) CHECK(out.data<float>()[1] == 0);
    }
  }
}

TEST_CASE("activation: GELU's tail keeps its digits") {
  Context context;
  const int64_t n = 901;
  const Tensor x({n}), y({n});
  for (int64_t i = 0; i < n; ++i) x.data<float>()[i] = -0.01F * static_cast<float>(i + 1);
  activation_forward({.y = y, .x = x, .activation = Activation::gelu}, context);
  for (int64_t i = 0; i < n; ++i) {
    const double v = x.data<float>()[i];
    const double expected = 0.5 * v * std::erfc(-v / std::sqrt(2.0));
    // exp(-v^2 / 2): the exponent, at most 41, is rounded by 41 * 6e-8.
    CHECK(std::abs(y.data<float>()[i] / expected - 1) <= 3e-6);
  }
}

TEST_CASE("activation: an unknown name is refused with the choices") {
  CHECK_THROWS_WITH_AS(activation_named("swish"),
                       "unknown activation 'swish': choose relu, tanh or gelu", Error);
}
