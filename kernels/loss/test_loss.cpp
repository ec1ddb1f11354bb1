#include "kernels/loss/loss.h"
#include "tests/ops/op_check.h"
#include "tests/pytorch_values.h"

using namespace topograd;
using namespace topograd::test;

constexpr LossKind kKinds[] = {LossKind::cross_entropy, LossKind::mse};

struct Smoothed {
  LossKind kind;
  double smoothing;
};
constexpr Smoothed kSmoothed[] = {{LossKind::cross_entropy, 0},
                                  {LossKind::cross_entropy, 0.1},
                                  {LossKind::cross_entropy, 1},
                                  {LossKind::mse, 0}};

TEST_CASE(
    "loss: every implementation equals the reference, for one network and for several") {
  for (const auto& [kind, smoothing] : kSmoothed)
    for (int64_t P : {0, 1, 3})  // 0: logits without the axis of the points
      for (int64_t N : {0, 1, 31, 33})
        for (int64_t C : {1, 2, 10, 32, 101}) {
          const std::string what =
              text(name_of(kind), " smoothing=", smoothing, " P=", P, " N=", N, " C=", C);
          const auto labels = [&](Operands& o) {
            return o.integers({N}, static_cast<uint32_t>(C));
          };
          const Shape per_image = P == 0 ? Shape{N} : Shape{P, N};
          const Shape logits = P == 0 ? Shape{N, C} : Shape{P, N, C};
          for (bool with_correct : {true, false})
            check_op<LossForwardArgs>(
                "loss_forward " + what,
                [&, kind = kind, smoothing = smoothing](Operands& o) {
                  return LossForwardArgs{
                      .losses = o.output(per_image),
                      .correct = with_correct ? o.integer_output(per_image) : Tensor(),
                      .logits = o.normal(logits, 3.0),
                      .labels = labels(o),
                      .kind = kind,
                      .label_smoothing = smoothing};
                },
                2e-7);  // double inside, rounded once
          if (P > 0) continue;
          for (bool in_place : {false, true})
            check_op<LossBackwardArgs>(
                text("loss_backward ", what, in_place ? " in place" : ""),
                [&, kind = kind, smoothing = smoothing](Operands& o) {
                  const Tensor z = in_place ? o.in_out({N, C}) : o.normal({N, C}, 3.0);
                  return LossBackwardArgs{.dlogits = in_place ? z : o.output({N, C}),
                                          .logits = z,
                                          .labels = labels(o),
                                          .kind = kind,
                                          .label_smoothing = smoothing,
                                          .scale = 0.37};
                },
                2e-7);
        }
}

TEST_CASE("loss: curvature of every implementation equals the reference") {
  for (LossKind kind : kKinds)
    for (bool gauss_newton : {false, true})
      for (bool in_place : {false, true})
        for (int64_t N : {0, 1, 33})
          for (int64_t C : {1, 2, 10, 33, 101})
            check_op<LossCurvatureArgs>(
                text("loss_curvature ", name_of(kind), gauss_newton ? " gauss_newton" : "",
                     in_place ? " in place" : "", " N=", N, " C=", C),
                [&](Operands& o) {
                  const Tensor v = in_place ? o.in_out({N, C}) : o.normal({N, C});
                  return LossCurvatureArgs{.product = in_place ? v : o.output({N, C}),
                                           .logits_tangent = v,
                                           .logits = o.normal({N, C}, 3.0),
                                           .labels = o.integers({N}, static_cast<uint32_t>(C)),
                                           .kind = kind,
                                           .gauss_newton = gauss_newton,
                                           .scale = 0.37};
                },
                2e-7);  // double inside, rounded once
}

TEST_CASE("loss: curvature is the derivative of the gradient") {
  const int64_t N = 3, C = 4;
  Operands o(5, DType::f64);
  const Tensor z = o.normal({N, C}), v = o.normal({N, C});
  const Tensor labels = o.integers({N}, static_cast<uint32_t>(C));
  Context context;
  for (LossKind kind : kKinds) {
    const auto gradient = [&](double h) {
      const Tensor at = z.clone(), result({N, C}, DType::f64);
      for (int64_t i = 0; i < z.size(); ++i) at.data<double>()[i] += h * v.data<double>()[i];
      loss_backward({.dlogits = result, .logits = at, .labels = labels, .kind = kind}, context);
      return result;
    };
    const double h = 1e-5;
    const Tensor up = gradient(h), down = gradient(-h), product({N, C}, DType::f64);
    loss_curvature(
        {.product = product, .logits_tangent = v, .logits = z, .labels = labels, .kind = kind},
        context);
    for (int64_t i = 0; i < z.size(); ++i)
      CHECK(std::abs(product.data<double>()[i] -
                     (up.data<double>()[i] - down.data<double>()[i]) / (2 * h)) <= 1e-9);
  }
}

TEST_CASE("loss: every loss has full precision, the smallest too") {
  const int64_t N = 500, C = 10;
  Operands o(4, DType::f32);
  const Tensor logits = o.normal({N, C}, 8.0);  // confident: losses from 1e-10 to 40
  const Tensor labels = o.integers({N}, C);
  Context reference;
  const Tensor exact({N}, DType::f64);
  reference.force_implementation("loss", "reference");
  loss_forward({.losses = exact, .logits = logits.converted(DType::f64), .labels = labels},
               reference);
  for_each_execution<LossForwardArgs>(
      [&](const auto& implementation, const Execution& execution, Context& context) {
        const Tensor there({N}, DType::f32, implementation.device);
        implementation.run({.losses = there,
                            .logits = logits.to(implementation.device),
                            .labels = labels.to(implementation.device)},
                           context);
        const Tensor losses = there.to(Device::cpu);
        for (int64_t n = 0; n < N; ++n) {
          // Rounded to float once; the sum of exponentials, at least 1, to double.
          const double loss = exact.data<double>()[n];
          const double error = std::abs(losses.data<float>()[n] - loss);
          CHECK_MESSAGE(error <= 6e-8 * loss + 1e-15, implementation.name, " on ",
                        execution.describe());
        }
      });
}

TEST_CASE("loss: a label that is no class makes its image NaN on a device, and no other") {
  const int64_t P = 2, C = 5;
  const int32_t wrong[] = {5, -1, std::numeric_limits<int32_t>::max(),
                           std::numeric_limits<int32_t>::min()};
  const int64_t N = 8;  // every second label is wrong
  const Tensor labels({N}, DType::i32);
  for (int64_t n = 0; n < N; ++n) labels.data<int32_t>()[n] = n % 2 ? wrong[n / 2] : 2;
  for (LossKind kind : kKinds) {
    for_each_execution<LossForwardArgs>(
        [&](const auto& implementation, const Execution&, Context& context) {
          if (implementation.device == Device::cpu) return;  // refused there
          Operands o(5, DType::f32, implementation.device);
          const LossForwardArgs args{.losses = o.output({P, N}),
                                     .correct = o.integer_output({P, N}),
                                     .logits = o.normal({P, N, C}),
                                     .labels = o.given(labels),
                                     .kind = kind};
          args.check();
          implementation.run(args, context);
          o.check_guards("loss_forward");
          const Tensor losses = args.losses.to(Device::cpu), correct = args.correct.to(Device::cpu);
          for (int64_t i = 0; i < P * N; ++i) {
            CHECK(std::isnan(losses.data<float>()[i]) == (i % 2 == 1));
            if (i % 2 == 1) CHECK(correct.data<int32_t>()[i] == 0);
          }
        });
    for_each_execution<LossBackwardArgs>(
        [&](const auto& implementation, const Execution&, Context& context) {
          if (implementation.device == Device::cpu) return;
          Operands o(5, DType::f32, implementation.device);
          const LossBackwardArgs args{.dlogits = o.output({N, C}),
                                      .logits = o.normal({N, C}),
                                      .labels = o.given(labels),
                                      .kind = kind};
          args.check();
          implementation.run(args, context);
          o.check_guards("loss_backward");
          const Tensor dlogits = args.dlogits.to(Device::cpu);
          for (int64_t i = 0; i < N * C; ++i)
            CHECK(std::isnan(dlogits.data<float>()[i]) == (i / C % 2 == 1));
        });
  }
}

TEST_CASE(
    "loss_sums: every implementation equals a sum in long double, and the others to the bit") {
  for (int64_t P : {0, 1, 3})
    for (int64_t N : {0, 1, 31, 256, 1000})
      for (Write write : {Write::overwrite, Write::accumulate}) {
        const std::string what =
            text("P=", P, " N=", N, write == Write::accumulate ? " accumulate" : "");
        Operands values(6, DType::f32);
        const Tensor losses = values.normal({P, N}, 8), correct = values.integers({P, N}, 2);
        // Losses from 1e-12 to 1e12: sums of ordinary floats are exact in double, in any order.
        for (int64_t i = 0; i < P * N; ++i)
          losses.data<float>()[i] = std::exp(losses.data<float>()[i]);
        const Tensor start = values.normal({P, 3}).converted(DType::f64);
        Tensor first;
        for_each_execution<LossSumsArgs>(
            [&](const auto& implementation, const Execution& execution, Context& context) {
              Operands o(6, DType::f32, implementation.device);
              const LossSumsArgs args{
                  .sums = write == Write::accumulate ? o.given(start) : o.exact_output({P, 3}),
                  .losses = o.given(losses),
                  .correct = o.given(correct),
                  .write = write};
              args.check();
              implementation.run(args, context);
              const std::string label =
                  text(what, ' ', implementation.name, " on ", execution.describe());
              o.check_guards(label);
              const Tensor sums = args.sums.to(Device::cpu);
              if (!first.defined()) first = sums.clone();
              const bool same = P == 0 || std::memcmp(first.raw(), sums.raw(),
                                                      static_cast<size_t>(sums.bytes())) == 0;
              CHECK_MESSAGE(same, label);
            });
        REQUIRE(first.defined());
        for (int64_t p = 0; p < P; ++p) {
          long double exact[3] = {};
          if (write == Write::accumulate)
            for (int k = 0; k < 3; ++k) exact[k] = start.data<double>()[3 * p + k];
          for (int64_t i = p * N; i < (p + 1) * N; ++i) {
            const long double loss = losses.data<float>()[i];
            exact[0] += loss;
            exact[1] += loss * loss;
            exact[2] += correct.data<int32_t>()[i];
          }
          for (int k = 0; k < 3; ++k)
            CHECK_MESSAGE(first.data<double>()[3 * p + k] ==
                              doctest::Approx(static_cast<double>(exact[k])).epsilon(1e-13),
                          what);
        }
      }
}

TEST_CASE("loss: known values") {
  Context context;
  const Tensor logits = Tensor::zeros({1, 4}, DType::f64);
  const Tensor labels = Tensor::zeros({1}, DType::i32);
  const Tensor losses({1}, DType::f64);
  loss_forward({.losses = losses, .logits = logits, .labels = labels}, context);
  CHECK(losses.data<double>()[0] == doctest::Approx(std::log(4.0)).epsilon(1e-14));
  loss_forward({.losses = losses, .logits = logits, .labels = labels, .kind = LossKind::mse},
               context);
  // ((1/4 - 1)^2 + 3 (1/4)^2) / 4
  CHECK(losses.data<double>()[0] == doctest::Approx(0.1875).epsilon(1e-14));
}

TEST_CASE("loss: smoothed losses and gradients are PyTorch's") {
  const int64_t N = 3, C = 4;
  const int32_t classes[] = {0, 1, 3};
  const Tensor logits({N, C}, DType::f64), labels({N}, DType::i32);
  std::copy_n(pytorch::kSmoothedLogits, N * C, logits.data<double>());
  std::copy_n(classes, N, labels.data<int32_t>());
  Context context;
  for (const auto& expected : pytorch::kSmoothedLosses) {
    CAPTURE(expected.smoothing);
    const Tensor losses({N}, DType::f64), dlogits({N, C}, DType::f64);
    loss_forward({.losses = losses,
                  .logits = logits,
                  .labels = labels,
                  .label_smoothing = expected.smoothing},
                 context);
    loss_backward({.dlogits = dlogits,
                   .logits = logits,
                   .labels = labels,
                   .label_smoothing = expected.smoothing,
                   .scale = 1.0 / N},
                  context);
    for (int64_t n = 0; n < N; ++n)
      CHECK(losses.data<double>()[n] == doctest::Approx(expected.losses[n]).epsilon(1e-14));
    for (int64_t i = 0; i < N * C; ++i)
      CHECK(std::abs(dlogits.data<double>()[i] - expected.gradient[i]) <= 1e-15);
  }
}

TEST_CASE("loss: the gradient is the derivative of the loss") {
  Context context;
  const int64_t N = 5, C = 7;
  Operands o(3, DType::f64);
  const Tensor logits = o.normal({N, C});
  const Tensor labels = o.integers({N}, C);
  for (const Smoothed& smoothed : kSmoothed) {
    const Tensor dlogits({N, C}, DType::f64);
    loss_backward({.dlogits = dlogits,
                   .logits = logits,
                   .labels = labels,
                   .kind = smoothed.kind,
                   .label_smoothing = smoothed.smoothing,
                   .scale = 0.5},
                  context);
    const auto half_sum = [&] {
      const Tensor losses({N}, DType::f64);
      loss_forward({.losses = losses,
                    .logits = logits,
                    .labels = labels,
                    .kind = smoothed.kind,
                    .label_smoothing = smoothed.smoothing},
                   context);
      double sum = 0;
      for (int64_t n = 0; n < N; ++n) sum += 0.5 * losses.data<double>()[n];
      return sum;
    };
    for (int64_t i = 0; i < N * C; ++i) {
      double& z = logits.data<double>()[i];
      const double centre = z;
      const double step = 1e-5;  // central difference: error about step^2 = 1e-10
      z = centre + step;
      const double above = half_sum();
      z = centre - step;
      const double below = half_sum();
      z = centre;
      const double error = std::abs((above - below) / (2 * step) - dlogits.data<double>()[i]);
      CHECK(error <= 1e-9);
    }
  }
}

/// Results of an implementation, brought to the CPU.
struct Losses {
  Tensor losses, correct;
};

Losses losses_of(const Implementation<LossForwardArgs>& implementation, const Tensor& logits,
                 const Tensor& labels, Context& context) {
  const Shape images{logits.dim(0)};
  const Tensor losses(images, DType::f32, implementation.device);
  const Tensor correct(images, DType::i32, implementation.device);
  implementation.run({.losses = losses,
                      .correct = correct,
                      .logits = logits.to(implementation.device),
                      .labels = labels.to(implementation.device)},
                     context);
  return {losses.to(Device::cpu), correct.to(Device::cpu)};
}

TEST_CASE("loss: extreme logits, ties and NaN") {
  const float inf = std::numeric_limits<float>::infinity();
  const float nan = std::nanf("");
  const struct {
    float z[3];
    int32_t label, correct;
    float loss;  // cross-entropy
  } images[] = {{{1e30F, -1e30F, 0}, 0, 1, 0},
                {{1e30F, -1e30F, 0}, 1, 0, 2e30F},
                {{5, 5, 4.0F - 1e3F}, 0, 1, std::log(2.0F)},
                {{5, 5, 4.0F - 1e3F}, 1, 0, std::log(2.0F)},
                {{0, -inf, -inf}, 0, 1, 0},
                {{0, 0, -inf}, 2, 0, inf},
                {{nan, 1, 0}, 0, 0, nan},
                {{0, 1, nan}, 1, 0, nan}};
  const int64_t N = std::size(images), C = 3;
  const Tensor logits({N, C}), labels({N}, DType::i32);
  for (int64_t n = 0; n < N; ++n) {
    std::copy_n(images[n].z, C, logits.data<float>() + n * C);
    labels.data<int32_t>()[n] = images[n].label;
  }
  for_each_execution<LossForwardArgs>(
      [&](const auto& implementation, const Execution& execution, Context& context) {
        const Losses there = losses_of(implementation, logits, labels, context);
        const Tensor losses = there.losses, correct = there.correct;
        for (int64_t n = 0; n < N; ++n) {
          CAPTURE(implementation.name);
          CAPTURE(execution.describe());
          CAPTURE(n);
          CHECK(correct.data<int32_t>()[n] == images[n].correct);
          const float loss = losses.data<float>()[n];
          if (std::isnan(images[n].loss))
            CHECK(std::isnan(loss));
          else if (std::isinf(images[n].loss))
            CHECK(loss == images[n].loss);
          else
            CHECK(loss == doctest::Approx(images[n].loss));
        }
      });
  for_each_execution<LossBackwardArgs>(
      [&](const auto& implementation, const Execution& execution, Context& context) {
        const Tensor there({N, C}, DType::f32, implementation.device);
        implementation.run({.dlogits = there,
                            .logits = logits.to(implementation.device),
                            .labels = labels.to(implementation.device)},
                           context);
        const Tensor dlogits = there.to(Device::cpu);
        for (int64_t i = 0; i < N * C; ++i)
          CHECK_MESSAGE(std::isnan(dlogits.data<float>()[i]) == std::isnan(images[i / C].loss),
                        implementation.name, " on ", execution.describe(), ", image ", i / C);
      });
}

TEST_CASE("loss: the largest logit is found in any class") {
  // Class n of image n has a logit that exp would not survive.
  const int64_t C = 70;
  const Tensor logits = Tensor::zeros({C, C}), labels({C}, DType::i32);
  for (int64_t n = 0; n < C; ++n) {
    logits.data<float>()[n * C + n] = 1e6F;
    labels.data<int32_t>()[n] = static_cast<int32_t>(n % 2 ? n - 1 : n);
  }
  for_each_execution<LossForwardArgs>(
      [&](const auto& implementation, const Execution& execution, Context& context) {
        const Losses there = losses_of(implementation, logits, labels, context);
        const Tensor losses = there.losses, correct = there.correct;
        for (int64_t n = 0; n < C; ++n) {
          CHECK_MESSAGE(losses.data<float>()[n] == (n % 2 ? 1e6F : 0.0F), implementation.name,
                        " on ", execution.describe(), ", image ", n);
          CHECK(correct.data<int32_t>()[n] == (n % 2 ? 0 : 1));
        }
      });
}

TEST_CASE("loss: labels out of range, wrong shapes and unknown names are refused") {
  Context context;
  const Tensor logits = Tensor::zeros({2, 3});
  const Tensor labels = Tensor::zeros({2}, DType::i32);
  labels.data<int32_t>()[1] = 3;
  CHECK_THROWS_WITH_AS(
      loss_forward({.losses = Tensor({2}), .logits = logits, .labels = labels}, context),
      "loss_forward: label 3 of image 1 is not in [0, 3); the data set has more classes than the "
      "network",
      Error);
  labels.data<int32_t>()[1] = -1;
  CHECK_THROWS_AS(
      loss_backward({.dlogits = Tensor({2, 3}), .logits = logits, .labels = labels}, context),
      Error);
  labels.data<int32_t>()[1] = 0;
  CHECK_THROWS_AS(
      loss_forward({.losses = Tensor({3}), .logits = logits, .labels = labels}, context), Error);
  for (double smoothing : {-0.1, 1.1, std::nan("")})
    CHECK_THROWS_AS(loss_backward({.dlogits = Tensor({2, 3}),
                                   .logits = logits,
                                   .labels = labels,
                                   .label_smoothing = smoothing},
                                  context),
                    Error);
  CHECK_THROWS_WITH_AS(loss_forward({.losses = Tensor({2}),
                                     .logits = logits,
                                     .labels = labels,
                                     .kind = LossKind::mse,
                                     .label_smoothing = 0.1},
                                    context),
                       "loss_forward: label smoothing is cross_entropy's; mse has none", Error);
  CHECK_THROWS_AS(loss_named("hinge"), Error);
  CHECK(loss_named("mse") == LossKind::mse);
}
