#include "kernels/activation/activation.h"
#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

// One rounding of an elementwise function: a few ulp of float (6e-8).
constexpr double kTolerance = 1e-6;

namespace {

using Kind = Activation::Kind;

/// All kinds that have a value everywhere, some with parameters other than PyTorch's own.
std::vector<Activation> all_activations() {
  std::vector<Activation> all;
  for (const std::string& name : activation_names())
    if (name != "log") all.push_back(activation_named(name));
  for (const Activation& a :
       {Activation::leaky_relu(0.3), Activation::leaky_relu(-0.2), Activation::elu(0.7),
        Activation::softplus(2.5, 1.5), Activation::power(3)})
    all.push_back(a);
  return all;
}
/// Activations that are defined for numbers above 0 alone.
std::vector<Activation> activations_above_zero() {
  return {Activation::log,         Activation::power(-1),    Activation::power(0.5),
          Activation::power(-0.5), Activation::power(-0.75), Activation::power(1.7),
          Activation::power(0)};
}

/// Returns f at x in double, by the reference.
double value_at(const Activation& f, double x) {
  Context context;
  const Tensor in({1}, DType::f64), out({1}, DType::f64);
  *in.data<double>() = x;
  activation_forward({.y = out, .x = in, .activation = f}, context);
  return *out.data<double>();
}
/// Returns f'(x), likewise.
double slope_at(const Activation& f, double x) {
  Context context;
  const Tensor in({1}, DType::f64), y({1}, DType::f64), dy({1}, DType::f64), dx({1}, DType::f64);
  *in.data<double>() = x;
  *y.data<double>() = value_at(f, x);
  *dy.data<double>() = 1;
  activation_backward({.dx = dx, .dy = dy, .y = y, .x = in, .activation = f}, context);
  return *dx.data<double>();
}
/// Returns f''(x), likewise.
double curvature_at(const Activation& f, double x) {
  Context context;
  const Tensor out = Tensor::zeros({1}, DType::f64), dy({1}, DType::f64), saved({1}, DType::f64),
               tangent({1}, DType::f64);
  *dy.data<double>() = 1;
  *saved.data<double>() = f.differentiates_output() ? value_at(f, x) : x;
  *tangent.data<double>() = f.differentiates_output() ? slope_at(f, x) : 1;
  activation_curvature(
      {.dx_tangent = out, .dy = dy, .saved = saved, .saved_tangent = tangent, .activation = f},
      context);
  return *out.data<double>();
}

}  // namespace

// h^2 / 6 times the third derivative, at most about 10 here, and 1e-16 / h.
TEST_CASE("activation: the reference's slopes and curvatures are those of central differences") {
  constexpr double h = 1e-5;
  for (const Activation& f : all_activations())
    for (double x :
         {-40.0, -7.3, -3.1, -2.9, -1.0, -0.2, 0.3, 0.55, 0.65, 2.8, 3.2, 5.9, 6.1, 25.0}) {
      CAPTURE(name_of(f));
      CAPTURE(x);
      const auto difference = [&](const auto& at) {
        return (at(f, x + h) - at(f, x - h)) / (2 * h);
      };
      // exp and powers grow, and so does what of a difference is rounded.
      const double scale = std::max(1.0, std::abs(value_at(f, x)));
      CHECK(std::abs(slope_at(f, x) - difference(value_at)) <= 1e-8 * scale);
      CHECK(std::abs(curvature_at(f, x) - difference(slope_at)) <= 1e-8 * scale);
      if (f.is_piecewise_linear()) CHECK(curvature_at(f, x) == 0);
    }
  for (const Activation& f : activations_above_zero())
    for (double x : {0.3, 0.9, 1.0, 2.8, 40.0}) {
      CAPTURE(text(name_of(f), ' ', f.exponent, " at ", x));
      const auto difference = [&](const auto& at) {
        return (at(f, x + h) - at(f, x - h)) / (2 * h);
      };
      // h^2 / 6 times the third and the fourth derivative, of 1 / x at 0.3 740 and 9900.
      CHECK(std::abs(slope_at(f, x) - difference(value_at)) <= 2e-8);
      CHECK(std::abs(curvature_at(f, x) - difference(slope_at)) <= 2e-7);
    }
}

// What PyTorch 1.13 gives for whole vectors (its code for single elements has hardswish' (3) = 3/2).
TEST_CASE("activation: values far out and slopes at the kinks are PyTorch's") {
  const struct {
    Activation f;
    double x, slope;
  } kinks[] = {{Activation::relu, 0, 0},
               {Activation::leaky_relu(0.1), 0, 0.1},
               {Activation::relu6, 0, 0},
               {Activation::relu6, 6, 0},
               {Activation::hardswish, -3, -0.5},
               {Activation::hardswish, 3, 1},
               {Activation::hardsigmoid, -3, 0},
               {Activation::hardsigmoid, 3, 0},
               {Activation::elu(0.7), 0, 0.7},
               {Activation::softplus(2, 1), 0.5, 1 / (1 + std::exp(-1.0))}};
  for (const auto& kink : kinks) {  // clang 14's lambdas take no structured binding
    CAPTURE(name_of(kink.f));
    CHECK(slope_at(kink.f, kink.x) == doctest::Approx(kink.slope).epsilon(1e-14));
  }
  CHECK(value_at(Activation::softplus(), 20.5) == 20.5);
  CHECK(value_at(Activation::softplus(), -800) == 0);
  CHECK(value_at(Activation::silu, -800) == 0);
  CHECK(value_at(Activation::sigmoid, 800) == 1);
  CHECK(value_at(Activation::elu(), -800) == -1);
  CHECK(value_at(Activation::gelu_tanh, 800) == 800);
  CHECK(value_at(Activation::exp, -800) == 0);
  CHECK(value_at(Activation::power(-1), -4) == -0.25);
  CHECK(std::isnan(value_at(Activation::power(0.5), -4)));
  CHECK(std::isnan(value_at(Activation::log, -1)));
}

// Vectors long enough for the kinks to fall into a vector and into the tail.
TEST_CASE("activation: every implementation has the reference's slopes at the kinks") {
  const int64_t n = 43;
  const Tensor at({n}), ones({n});
  for (int64_t i = 0; i < n; ++i) {
    at.data<float>()[i] = static_cast<float>(3 * (i % 4) - 3);  // -3, 0, 3, 6
    ones.data<float>()[i] = 1;
  }
  for (const Activation& f : all_activations())
    check_op<ActivationBackwardArgs>(
        text("kinks of ", name_of(f)),
        [&](Operands& o) {
          const Tensor saved = o.given(at.converted(o.real()));
          return ActivationBackwardArgs{.dx = o.output({n}),
                                        .dy = o.given(ones.converted(o.real())),
                                        .y = saved,
                                        .x = saved,
                                        .activation = f};
        },
        // tanh and sigmoid see outputs that they never have: values up to 35.
        kTolerance);
}

TEST_CASE("activation: every implementation equals the reference at odd sizes") {
  for (const Activation& a : all_activations()) {
    for (int64_t n : {0, 1, 31, 33, 1009}) {
      CAPTURE(n);
      check_op<ActivationForwardArgs>(
          text("forward ", name_of(a), " n=", n),
          [&](Operands& o) {
            return ActivationForwardArgs{
                .y = o.output({n}), .x = o.normal({n}, 3), .activation = a};
          },
          kTolerance);
      for (Write write : {Write::overwrite, Write::accumulate}) {
        check_op<ActivationBackwardArgs>(
            text("backward ", name_of(a), " n=", n),
            [&](Operands& o) {
              return ActivationBackwardArgs{.dx = o.output({n}, write),
                                            .dy = o.normal({n}),
                                            .y = o.normal({n}, 0.5),
                                            .x = o.normal({n}, 3),
                                            .activation = a,
                                            .write = write};
            },
            kTolerance);
      }
    }
  }
}

TEST_CASE("activation: curvature of every implementation equals the reference; ReLU has none") {
  for (const Activation& a : all_activations())
    for (int64_t n : {0, 1, 31, 33, 1009})
      check_op<ActivationCurvatureArgs>(
          text("curvature ", name_of(a), " n=", n),
          [&](Operands& o) {
            return ActivationCurvatureArgs{.dx_tangent = o.in_out({n}),
                                           .dy = o.normal({n}),
                                           .saved = o.normal({n}),
                                           .saved_tangent = o.normal({n}),
                                           .activation = a};
          },
          kTolerance);
}

TEST_CASE("activation: powers and logarithms of every implementation equal the reference") {
  for (const Activation& a : activations_above_zero())
    for (int64_t n : {1, 31, 1009}) {
      const std::string what = text(name_of(a), ' ', a.exponent, " n=", n);
      check_op<ActivationForwardArgs>(
          "forward " + what,
          [&](Operands& o) {
            return ActivationForwardArgs{
                .y = o.output({n}), .x = o.uniform({n}, 0.5, 4), .activation = a};
          },
          kTolerance);
      for (Write write : {Write::overwrite, Write::accumulate})
        check_op<ActivationBackwardArgs>(
            "backward " + what,
            [&](Operands& o) {
              return ActivationBackwardArgs{.dx = o.output({n}, write),
                                            .dy = o.normal({n}),
                                            .y = {},
                                            .x = o.uniform({n}, 0.5, 4),
                                            .activation = a,
                                            .write = write};
            },
            kTolerance);
      check_op<ActivationCurvatureArgs>(
          "curvature " + what,
          [&](Operands& o) {
            return ActivationCurvatureArgs{.dx_tangent = o.in_out({n}),
                                           .dy = o.normal({n}),
                                           .saved = o.uniform({n}, 0.5, 4),
                                           .saved_tangent = o.normal({n}),
                                           .activation = a};
          },
          kTolerance);
    }
}

TEST_CASE(
    "activation: every implementation knows exp's range, and where a root or a logarithm is none") {
  const float inf = std::numeric_limits<float>::infinity();
  const Tensor x({6});
  const float values[] = {-inf, -200, 200, inf, -1, 0};
  std::copy(std::begin(values), std::end(values), x.data<float>());
  for_each_execution<ActivationForwardArgs>([&](const auto& implementation,
                                                const Execution& execution, Context& context) {
    CAPTURE(text(implementation.name, " on ", execution.describe()));
    const auto of = [&](const Activation& f) {
      const Tensor there({6}, DType::f32, implementation.device);
      implementation.run({.y = there, .x = x.to(implementation.device), .activation = f}, context);
      return there.to(Device::cpu).clone();
    };
    const Tensor exp = of(Activation::exp);
    CHECK(exp.template data<float>()[0] == 0);
    CHECK(exp.template data<float>()[1] == 0);
    CHECK(exp.template data<float>()[2] == inf);
    CHECK(exp.template data<float>()[3] == inf);
    for (const Activation& f : {Activation::log, Activation::power(0.5), Activation::power(-0.5),
                                Activation::power(0.75)})
      CHECK(std::isnan(of(f).template data<float>()[4]));
    CHECK(of(Activation::power(-1)).template data<float>()[4] == -1);
    const auto has_limits = [&](const Activation& f, float at_zero, float at_infinity) {
      const Tensor y = of(f);
      CHECK(y.template data<float>()[5] == at_zero);
      CHECK(y.template data<float>()[3] == at_infinity);
    };
    has_limits(Activation::log, -inf, inf);
    has_limits(Activation::power(0.75), 0, inf);
    has_limits(Activation::power(-0.75), inf, 0);
    has_limits(Activation::power(2), 0, inf);
  });
}

TEST_CASE("activation: tensors that begin anywhere") {
  // Offsets in elements of y or dx, of x or dy, and of the saved tensor within their allocations.
  const int64_t offsets[][3] = {{1, 1, 1}, {3, 0, 0}, {0, 2, 0}, {0, 0, 1}};
  for (const Activation& a : {Activation::relu, Activation::tanh, Activation::leaky_relu(0.3)})
    for (const auto& [out, in, kept] : offsets)
      for (int64_t n : {3, 4, 5, 1023}) {
        const auto view = [n](const Tensor& t) { return t.slice(t.size() - n, {n}); };
        const std::string what = text(name_of(a), " n=", n, " offsets ", out, in, kept);
        check_op<ActivationForwardArgs>(
            "forward " + what,
            [&, out = out, in = in](Operands& o) {
              return ActivationForwardArgs{
                  .y = view(o.output({n + out})), .x = view(o.normal({n + in})), .activation = a};
            },
            kTolerance);
        for (Write write : {Write::overwrite, Write::accumulate})
          check_op<ActivationBackwardArgs>(
              "backward " + what,
              [&, out = out, in = in, kept = kept](Operands& o) {
                return ActivationBackwardArgs{.dx = view(o.output({n + out}, write)),
                                              .dy = view(o.normal({n + in})),
                                              .y = view(o.normal({n + kept})),
                                              .x = view(o.normal({n + kept})),
                                              .activation = a,
                                              .write = write};
              },
              kTolerance);
      }
}

TEST_CASE("activation: in place") {
  for (const Activation& a : all_activations()) {
    check_op<ActivationForwardArgs>(
        text("forward ", name_of(a)),
        [&](Operands& o) {
          const Tensor x = o.in_out({1009});
          return ActivationForwardArgs{.y = x, .x = x, .activation = a};
        },
        kTolerance);
    check_op<ActivationBackwardArgs>(
        text("backward ", name_of(a)),
        [&](Operands& o) {
          const Tensor dy = o.in_out({1009});
          return ActivationBackwardArgs{
              .dx = dy, .dy = dy, .y = o.normal({1009}), .x = o.normal({1009}), .activation = a};
        },
        kTolerance);
  }
}

TEST_CASE("activation: more elements than a grid has threads") {
  // 4096 blocks of 256 threads, four elements each, and then some more.
  const int64_t n = (int64_t{4} << 20) + 1027;
  const Tensor x({n}), y({n}), dx({n});
  for (int64_t i = 0; i < n; ++i) {
    const int64_t value = i % 1001 - 500;
    x.data<float>()[i] = static_cast<float>(value);
    y.data<float>()[i] = static_cast<float>(std::max<int64_t>(value, 0));
    dx.data<float>()[i] = value > 0 ? static_cast<float>(value) : 0.0F;
  }
  const auto same = [&](const Tensor& got, const Tensor& expected) {
    return std::memcmp(got.to(Device::cpu).raw(), expected.raw(), n * sizeof(float)) == 0;
  };
  for_each_execution<ActivationForwardArgs>(
      [&](const auto& implementation, const Execution& execution, Context& context) {
        if (execution.schedule > 0) return;
        const Tensor there({n}, DType::f32, implementation.device);
        implementation.run({.y = there, .x = x.to(implementation.device)}, context);
        CHECK_MESSAGE(same(there, y), implementation.name, " on ", execution.describe());
      });
  for_each_execution<ActivationBackwardArgs>([&](const auto& implementation,
                                                 const Execution& execution, Context& context) {
    if (execution.schedule > 0) return;
    const Tensor there({n}, DType::f32, implementation.device);
    implementation.run(
        {.dx = there, .dy = x.to(implementation.device), .y = y.to(implementation.device), .x = {}},
        context);
    CHECK_MESSAGE(same(there, dx), implementation.name, " on ", execution.describe());
  });
}

TEST_CASE("activation: NaN stays NaN, and only where it was") {
  // In a vector, and in the tail; where the slope is 0, dx is 0 even for such a dy.
  const Tensor x = Tensor::zeros({41}), dy = Tensor::zeros({41});
  x.data<float>()[3] = x.data<float>()[40] = std::nanf("");
  dy.data<float>()[5] = std::nanf("");
  dy.data<float>()[6] = std::numeric_limits<float>::infinity();
  for (const Activation& a : all_activations()) {
    for_each_execution<ActivationForwardArgs>([&](const auto& implementation,
                                                  const Execution& execution, Context& context) {
      CAPTURE(text(implementation.name, " on ", execution.describe(), ": ", name_of(a)));
      const Tensor there({41}, DType::f32, implementation.device);
      implementation.run({.y = there, .x = x.to(implementation.device), .activation = a}, context);
      const Tensor y = there.to(Device::cpu);
      for (int64_t i = 0; i < 41; ++i) CHECK(std::isnan(y.data<float>()[i]) == (i == 3 || i == 40));
    });
    if (a.is_piecewise_linear() && a != Activation::relu) continue;
    if (a == Activation::hardswish) continue;
    for_each_execution<ActivationBackwardArgs>(
        [&](const auto& implementation, const Execution& execution, Context& context) {
          CAPTURE(text(implementation.name, " on ", execution.describe(), ": ", name_of(a)));
          const Tensor there({41}, DType::f32, implementation.device),
              saved = x.to(implementation.device);
          implementation.run({.dx = there,
                              .dy = dy.to(implementation.device),
                              .y = saved,
                              .x = saved,
                              .activation = a},
                             context);
          const Tensor dx = there.to(Device::cpu);
          for (int64_t i = 0; i < 41; ++i) {
            const float got = dx.data<float>()[i];
            if (a == Activation::relu)
              CHECK(got == 0);
            else
              CHECK(std::isfinite(got) == !(i == 3 || i == 5 || i == 6 || i == 40));
          }
        });
  }
}

TEST_CASE("activation: far out, tanh is 1 and GELU is x or nothing") {
  const float inf = std::numeric_limits<float>::infinity();
  const Tensor x({8});
  float* values = x.data<float>();
  for (float far : {20.0F, 1e4F, 1e30F, inf}) *values++ = far, *values++ = -far;
  for_each_execution<ActivationForwardArgs>(
      [&](const auto& implementation, const Execution& execution, Context& context) {
        CAPTURE(text(implementation.name, " on ", execution.describe()));
        const Tensor in = x.to(implementation.device), out({8}, DType::f32, implementation.device);
        implementation.run({.y = out, .x = in, .activation = Activation::tanh}, context);
        const Tensor tanh = out.to(Device::cpu).clone();
        implementation.run({.y = out, .x = in, .activation = Activation::gelu}, context);
        const Tensor gelu = out.to(Device::cpu);
        for (int64_t i = 0; i < 8; i += 2) {
          CHECK(tanh.data<float>()[i] == 1);
          CHECK(tanh.data<float>()[i + 1] == -1);
          CHECK(gelu.data<float>()[i] == x.data<float>()[i]);
          if (i < 6) CHECK(gelu.data<float>()[i + 1] == 0);
        }
      });
}

TEST_CASE("activation: GELU's tail keeps its digits") {
  const int64_t n = 901;
  const Tensor x({n});
  for (int64_t i = 0; i < n; ++i) x.data<float>()[i] = -0.01F * static_cast<float>(i + 1);
  for_each_execution<ActivationForwardArgs>([&](const auto& implementation,
                                                const Execution& execution, Context& context) {
    const Tensor there({n}, DType::f32, implementation.device);
    implementation.run(
        {.y = there, .x = x.to(implementation.device), .activation = Activation::gelu}, context);
    const Tensor y = there.to(Device::cpu);
    // exp(-v^2 / 2): the exponent, at most 41, is rounded by 41 * 6e-8. The reference rounds
    // v / sqrt(2), too, and its square doubles that.
    const double tolerance = implementation.name == "reference" ? 1e-5 : 3e-6;
    double worst = 0;
    for (int64_t i = 0; i < n; ++i) {
      const double v = x.data<float>()[i];
      const double expected = 0.5 * v * std::erfc(-v / std::sqrt(2.0));
      worst = std::max(worst, std::abs(y.data<float>()[i] / expected - 1));
    }
    CHECK_MESSAGE(worst <= tolerance, implementation.name, " on ", execution.describe(), ": ",
                  worst);
  });
}

TEST_CASE("activation: an unknown name is refused with the choices") {
  CHECK_THROWS_WITH_AS(activation_named("swish"),
                       "unknown activation 'swish': choose relu, tanh, gelu, leaky_relu, relu6, "
                       "silu, sigmoid, hardswish, hardsigmoid, softplus, elu, gelu_tanh, exp, log "
                       "or power",
                       Error);
  for (const std::string& name : activation_names()) CHECK(name_of(activation_named(name)) == name);
  Context context;
  const Tensor x({1});
  CHECK_THROWS_AS(
      activation_forward({.y = x, .x = x, .activation = Activation::softplus(0)}, context), Error);
}
