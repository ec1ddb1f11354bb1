#include "kernels/loss/test_loss_cases.h"
#include "tests/pytorch_values.h"

using namespace topograd;
using namespace topograd::test;

TEST_CASE("loss: losses, gradients and products with the Hessian are PyTorch's") {
  const int64_t N = 3, C = 4;
  const int32_t classes[] = {0, 1, 3};
  const Tensor logits({N, C}, DType::f64), v({N, C}, DType::f64);
  std::copy_n(pytorch::kLossLogits, N * C, logits.data<double>());
  std::copy_n(pytorch::kLossDirection, N * C, v.data<double>());
  Context context;
  for (const auto& expected : pytorch::kLossValues) {
    CAPTURE(expected.loss);
    CAPTURE(expected.numbers);
    const Loss loss = loss_named(expected.loss);
    const Tensor targets = expected.numbers ? Tensor({N, C}) : Tensor({N}, DType::i32);
    for (int64_t i = 0; i < targets.size(); ++i)
      if (expected.numbers)
        targets.data<float>()[i] = static_cast<float>(expected.targets[i]);
      else
        targets.data<int32_t>()[i] = classes[i];
    const Tensor losses({N}, DType::f64), dlogits({N, C}, DType::f64), product({N, C}, DType::f64);
    loss_forward({.losses = losses, .logits = logits, .labels = targets, .loss = loss}, context);
    loss_backward(
        {.dlogits = dlogits, .logits = logits, .labels = targets, .loss = loss, .scale = 1.0 / N},
        context);
    loss_curvature({.product = product,
                    .logits_tangent = v,
                    .logits = logits,
                    .labels = targets,
                    .loss = loss,
                    .scale = 1.0 / N},
                   context);
    for (int64_t n = 0; n < N; ++n)
      CHECK(losses.data<double>()[n] == doctest::Approx(expected.losses[n]).epsilon(1e-14));
    for (int64_t i = 0; i < N * C; ++i) {
      CAPTURE(i);
      CHECK(std::abs(dlogits.data<double>()[i] - expected.gradient[i]) <= 1e-15);
      CHECK(std::abs(product.data<double>()[i] - expected.product[i]) <= 1e-13);
    }
  }
}

TEST_CASE("loss: curvature is the derivative of the gradient, which is that of the loss") {
  const int64_t N = 3, C = 4;
  Context context;
  for (const LossCase& c : loss_cases()) {
    CAPTURE(describe(c));
    Operands o(5, DType::f64);
    const Tensor z = o.normal({N, C}), v = o.normal({N, C}), targets = targets_of(c, o, N, C);
    const Loss loss = loss_of(c, o, C);
    const auto moved = [&](double h) {
      const Tensor at = z.clone();
      for (int64_t i = 0; i < z.size(); ++i) at.data<double>()[i] += h * v.data<double>()[i];
      return at;
    };
    const auto gradient = [&](double h) {
      const Tensor result({N, C}, DType::f64);
      loss_backward({.dlogits = result, .logits = moved(h), .labels = targets, .loss = loss},
                    context);
      return result;
    };
    const auto losses = [&](double h) {
      const Tensor result({N}, DType::f64);
      loss_forward({.losses = result, .logits = moved(h), .labels = targets, .loss = loss},
                   context);
      return result;
    };
    const double h = 1e-5;  // central differences: errors of about h^2
    const Tensor up = gradient(h), down = gradient(-h), here = gradient(0), above = losses(h),
                 below = losses(-h), product({N, C}, DType::f64);
    loss_curvature(
        {.product = product, .logits_tangent = v, .logits = z, .labels = targets, .loss = loss},
        context);
    for (int64_t i = 0; i < z.size(); ++i)
      CHECK(std::abs(product.data<double>()[i] -
                     (up.data<double>()[i] - down.data<double>()[i]) / (2 * h)) <= 1e-8);
    for (int64_t n = 0; n < N; ++n) {
      double slope = 0;
      for (int64_t i = n * C; i < (n + 1) * C; ++i)
        slope += here.data<double>()[i] * v.data<double>()[i];
      CHECK(std::abs(slope - (above.data<double>()[n] - below.data<double>()[n]) / (2 * h)) <=
            1e-8);
    }
  }
}

TEST_CASE("loss: Gauss-Newton's part is never negative, and all of a convex loss") {
  const int64_t N = 9, C = 5;
  Context context;
  for (const LossCase& c : loss_cases()) {
    CAPTURE(describe(c));
    Operands o(6, DType::f64);
    const Tensor z = o.normal({N, C}, 2.0), v = o.normal({N, C}), targets = targets_of(c, o, N, C);
    const Loss loss = loss_of(c, o, C);
    const auto product = [&](bool gauss_newton) {
      const Tensor result({N, C}, DType::f64);
      loss_curvature({.product = result,
                      .logits_tangent = v,
                      .logits = z,
                      .labels = targets,
                      .loss = loss,
                      .gauss_newton = gauss_newton},
                     context);
      return result;
    };
    const Tensor part = product(true), all = product(false);
    const bool convex = c.kind != LossKind::mse && c.kind != LossKind::focal;
    for (int64_t n = 0; n < N; ++n) {
      double form = 0;
      for (int64_t i = n * C; i < (n + 1) * C; ++i) {
        form += v.data<double>()[i] * part.data<double>()[i];
        if (convex) CHECK(part.data<double>()[i] == all.data<double>()[i]);
      }
      CHECK(form >= -1e-14);
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
  loss_forward({.losses = losses, .logits = logits, .labels = labels, .loss = LossKind::mse},
               context);
  // ((1/4 - 1)^2 + 3 (1/4)^2) / 4
  CHECK(losses.data<double>()[0] == doctest::Approx(0.1875).epsilon(1e-14));
}

TEST_CASE("loss: measures of answers that are known") {
  // Softmax of 0, log 2, log 5, 0 is 1/9, 2/9, 5/9, 1/9; the last image's largest logit occurs twice.
  const float ln2 = std::log(2.0F), ln5 = std::log(5.0F);
  const float z[] = {0, ln2, ln5, 0, 0, ln2, ln5, 0, 0, ln2, ln5, 0, 3, 1, 3, 3};
  const int32_t classes[] = {2, 1, 3, 2};
  const int64_t N = 4, C = 4;
  const Tensor logits({N, C}), labels({N}, DType::i32);
  std::copy_n(z, N * C, logits.data<float>());
  std::copy_n(classes, N, labels.data<int32_t>());
  const double third = 1 / (3 + std::exp(-2.0));  // the last image's confidence, 0.319
  const struct {
    const char* what;
    Loss measure;
    double expected[4];
  } rows[] = {{"top 1", {LossKind::top_k, 1}, {1, 0, 0, 0}},
              {"top 2", {LossKind::top_k, 2}, {1, 1, 0, 1}},
              {"top 4", {LossKind::top_k, 4}, {1, 1, 1, 1}},  // equal ones: the class before first
              {"confidence", LossKind::confidence, {5.0 / 9, 5.0 / 9, 5.0 / 9, third}},
              {"margin", LossKind::margin, {ln5 - ln2, ln2 - ln5, -ln5, 0}},
              // 5/9 lies in bin 8 of 15, (0.533, 0.6]; 0.319 in bin 4, (0.267, 0.333].
              {"bin 8", {LossKind::calibration_gap, 8}, {-4.0 / 9, 5.0 / 9, 5.0 / 9, 0}},
              {"bin 4", {LossKind::calibration_gap, 4}, {0, 0, 0, third}},
              {"bin 7", {LossKind::calibration_gap, 7}, {0, 0, 0, 0}}};
  for (const auto& row : rows) {
    CAPTURE(row.what);
    for_each_execution<LossForwardArgs>(
        [&](const auto& implementation, const Execution& execution, Context& context) {
          const LossForwardArgs args{.losses = Tensor({N}, DType::f32, implementation.device),
                                     .logits = logits.to(implementation.device),
                                     .labels = labels.to(implementation.device),
                                     .loss = row.measure};
          if (!implementation.supports(args)) return;
          CAPTURE(implementation.name);
          CAPTURE(execution.describe());
          implementation.run(args, context);
          const Tensor values = args.losses.to(Device::cpu);
          for (int64_t n = 0; n < N; ++n) {
            CAPTURE(n);
            CHECK(values.data<float>()[n] == doctest::Approx(row.expected[n]).epsilon(1e-6));
          }
        });
  }
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
                                   .loss = {LossKind::cross_entropy, smoothing}},
                                  context),
                    Error);
  CHECK_THROWS_WITH_AS(loss_forward({.losses = Tensor({2}),
                                     .logits = logits,
                                     .labels = Tensor::zeros({2, 3}),
                                     .loss = LossKind::hinge},
                                    context),
                       "loss_forward: loss hinge is of images with a class each; these have "
                       "numbers",
                       Error);
  CHECK_THROWS_AS(
      loss_backward(
          {.dlogits = Tensor({2, 3}), .logits = logits, .labels = labels, .loss = LossKind::margin},
          context),
      Error);
  CHECK_THROWS_AS(loss_forward({.losses = Tensor({2}),
                                .logits = logits,
                                .labels = labels,
                                .loss = loss_named("cross_entropy:weights=1/2")},
                               context),
                  Error);
}

TEST_CASE("loss: a text names a loss, and every loss has one") {
  for (const char* name : {"cross_entropy", "cross_entropy:0.1", "mse", "huber:0.25", "focal:1.5",
                           "focal:weights=1/0.5/3", "hinge", "cross_entropy:0.2:weights=1/1/2.5"})
    CHECK(text_of(loss_named(name)) == name);
  CHECK(loss_named("crossentropy") == Loss());
  CHECK(loss_named("focal:2") == Loss(LossKind::focal));
  CHECK(measure_named("top3") == Loss(LossKind::top_k, 3));
  for (const char* wrong :
       {"", "softmax", "mse:1", "huber:0", "huber:-1", "huber:x", "huber:nan", "focal:", "focal:-1",
        "cross_entropy:1.5", "cross_entropy:weights=", "cross_entropy:weights=1//2",
        "cross_entropy:weights=-1/2", "mse:weights=1/2", "top_k", "margin"}) {
    CAPTURE(wrong);
    CHECK_THROWS_AS(loss_named(wrong), Error);
  }
  for (const char* wrong : {"", "top", "top0", "top1.5", "topx", "accuracy"})
    CHECK_THROWS_AS(measure_named(wrong), Error);
}
