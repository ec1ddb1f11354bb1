#include <numeric>

#include "kernels/loss/loss.h"
#include "tests/ops/op_check.h"
#include "tests/pytorch_values.h"

using namespace topograd;
using namespace topograd::test;

/// A loss and what it is of; weights and targets are made by the test.
struct Case {
  LossKind kind;
  double constant;
  bool numbers = false, weights = false;
};
/// Every kind, with and without weights, of classes and of numbers, as far as it takes these.
const std::vector<Case>& cases() {
  static const std::vector<Case> all = [] {
    std::vector<Case> made;
    for (LossKind kind : loss_kinds())
      for (bool numbers : {false, true})
        for (bool weights : {false, true}) {
          if (numbers && !takes_numbers(kind)) continue;
          if (weights && kind == LossKind::mse) continue;
          std::vector<double> constants{Loss(kind).constant};
          if (kind == LossKind::cross_entropy) constants = {0, 0.1, 1};
          if (kind == LossKind::huber) constants = {1, 0.3};
          if (kind == LossKind::focal) constants = {2, 1, 0.5, 0};
          for (double constant : constants) made.push_back({kind, constant, numbers, weights});
        }
    return made;
  }();
  return all;
}
const std::vector<Loss>& measures() {
  static const std::vector<Loss> all{{LossKind::top_k, 1},           {LossKind::top_k, 3},
                                     LossKind::confidence,           LossKind::margin,
                                     {LossKind::calibration_gap, 0}, {LossKind::calibration_gap, 9},
                                     {LossKind::calibration_gap, 14}};
  return all;
}

/// The loss of a case, its weights on the operands' device.
Loss loss_of(const Case& c, Operands& o, int64_t C) {
  Loss loss(c.kind, c.constant);
  if (c.weights) {
    const Tensor weights({C}, DType::f64);
    for (int64_t i = 0; i < C; ++i) weights.data<double>()[i] = 0.25 * static_cast<double>(i % 7);
    loss.class_weights = o.given(weights);
  }
  return loss;
}

/// Targets that suit it: classes, probabilities, zeros and ones, or any numbers.
Tensor targets_of(const Case& c, Operands& o, int64_t N, int64_t C) {
  if (!c.numbers) return o.integers({N}, static_cast<uint32_t>(C));
  Operands values(77, DType::f32);
  const Tensor numbers = c.kind == LossKind::focal        ? values.zeros_and_ones({N, C})
                         : tells_right_from_wrong(c.kind) ? values.uniform({N, C}, 0, 1)
                                                          : values.normal({N, C}, 3);
  if (c.kind == LossKind::cross_entropy)
    for (int64_t n = 0; n < N; ++n) {
      float* row = numbers.data<float>() + n * C;
      const float sum = std::accumulate(row, row + C, 0.0F);
      for (int64_t i = 0; i < C; ++i) row[i] /= sum;
    }
  return o.given(numbers);
}

std::string describe(const Case& c) {
  return text(name_of(c.kind), ':', c.constant, c.numbers ? " numbers" : "",
              c.weights ? " weights" : "");
}

struct Size {
  int64_t P, N, C;  // P = 0: logits without the axis of the points
};
/// Sizes of a case: the usual losses have kernels of their own, the others share the frame that is
/// tried at all of its edges by a few.
std::vector<Size> sizes_of(const Case& c) {
  std::vector<Size> sizes{{0, 0, 3}, {0, 1, 1}, {2, 40, 2}, {3, 5, 33}, {0, 33, 10}, {0, 3, 101}};
  if (c.numbers || c.weights || (c.kind != LossKind::cross_entropy && c.kind != LossKind::mse))
    return sizes;
  for (int64_t P : {0, 1, 3})
    for (int64_t N : {0, 1, 31, 33})
      for (int64_t C : {1, 2, 10, 32, 101}) sizes.push_back({P, N, C});
  return sizes;
}

TEST_CASE("loss: every implementation equals the reference, for one network and for several") {
  for (const Case& c : cases())
    for (const Size& size : sizes_of(c)) {
      const int64_t N = size.N, C = size.C;
      const std::string what = text(describe(c), " P=", size.P, " N=", N, " C=", C);
      const Shape per_image = size.P == 0 ? Shape{N} : Shape{size.P, N};
      const Shape logits = size.P == 0 ? Shape{N, C} : Shape{size.P, N, C};
      for (bool with_correct : {true, false})
        check_op<LossForwardArgs>(
            "loss_forward " + what,
            [&](Operands& o) {
              return LossForwardArgs{
                  .losses = o.output(per_image),
                  .correct = with_correct ? o.integer_output(per_image) : Tensor(),
                  .logits = o.normal(logits, 3.0),
                  .labels = targets_of(c, o, N, C),
                  .loss = loss_of(c, o, C)};
            },
            2e-7);  // double inside, rounded once
      if (size.P > 0) continue;
      for (bool in_place : {false, true})
        check_op<LossBackwardArgs>(
            text("loss_backward ", what, in_place ? " in place" : ""),
            [&](Operands& o) {
              const Tensor z = in_place ? o.in_out({N, C}) : o.normal({N, C}, 3.0);
              return LossBackwardArgs{.dlogits = in_place ? z : o.output({N, C}),
                                      .logits = z,
                                      .labels = targets_of(c, o, N, C),
                                      .loss = loss_of(c, o, C),
                                      .scale = 0.37};
            },
            2e-7);
    }
}

TEST_CASE("loss: measures of every implementation equal the reference") {
  for (const Loss& measure : measures())
    for (int64_t P : {0, 3})
      for (int64_t N : {0, 33})
        for (int64_t C : {1, 10, 101})
          check_op<LossForwardArgs>(
              text("loss_forward ", text_of(measure), " P=", P, " N=", N, " C=", C),
              [&](Operands& o) {
                const Shape per_image = P == 0 ? Shape{N} : Shape{P, N};
                return LossForwardArgs{
                    .losses = o.output(per_image),
                    .correct = o.integer_output(per_image),
                    .logits = o.normal(P == 0 ? Shape{N, C} : Shape{P, N, C}, 3.0),
                    .labels = o.integers({N}, static_cast<uint32_t>(C)),
                    .loss = measure};
              },
              2e-7);
}

TEST_CASE("loss: curvature of every implementation equals the reference") {
  for (const Case& c : cases())
    for (bool gauss_newton : {false, true})
      for (bool in_place : {false, true})
        for (const Size& size : sizes_of(c)) {
          if (size.P > 0) continue;
          const int64_t N = size.N, C = size.C;
          check_op<LossCurvatureArgs>(
              text("loss_curvature ", describe(c), gauss_newton ? " gauss_newton" : "",
                   in_place ? " in place" : "", " N=", N, " C=", C),
              [&](Operands& o) {
                const Tensor v = in_place ? o.in_out({N, C}) : o.normal({N, C});
                return LossCurvatureArgs{.product = in_place ? v : o.output({N, C}),
                                         .logits_tangent = v,
                                         .logits = o.normal({N, C}, 3.0),
                                         .labels = targets_of(c, o, N, C),
                                         .loss = loss_of(c, o, C),
                                         .gauss_newton = gauss_newton,
                                         .scale = 0.37};
              },
              2e-7);  // double inside, rounded once
        }
}

TEST_CASE("loss: losses, gradients and products with the Hessian are PyTorch's") {
  const int64_t N = 3, C = 4;
  const int32_t classes[] = {0, 1, 3};
  const Tensor logits({N, C}, DType::f64), v({N, C}, DType::f64);
  std::copy_n(pytorch::kSmoothedLogits, N * C, logits.data<double>());
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
      CHECK(std::abs(losses.data<double>()[n] - expected.losses[n]) <= 1e-13);
    for (int64_t i = 0; i < N * C; ++i) {
      CAPTURE(i);
      CHECK(std::abs(dlogits.data<double>()[i] - expected.gradient[i]) <= 1e-14);
      CHECK(std::abs(product.data<double>()[i] - expected.product[i]) <= 1e-13);
    }
  }
}

TEST_CASE("loss: curvature is the derivative of the gradient, which is that of the loss") {
  const int64_t N = 3, C = 4;
  Context context;
  for (const Case& c : cases()) {
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
  for (const Case& c : cases()) {
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
        const LossForwardArgs args{.losses = there,
                                   .logits = logits.to(implementation.device),
                                   .labels = labels.to(implementation.device)};
        if (!implementation.supports(args)) return;  // one of another loss
        implementation.run(args, context);
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
  std::vector<Loss> all(loss_kinds().begin(), loss_kinds().end());
  all.insert(all.end(), measures().begin(), measures().end());
  for (const Loss& loss : all) {
    CAPTURE(text_of(loss));
    for_each_execution<LossForwardArgs>(
        [&](const auto& implementation, const Execution&, Context& context) {
          if (implementation.device == Device::cpu) return;  // refused there
          Operands o(5, DType::f32, implementation.device);
          const LossForwardArgs args{.losses = o.output({P, N}),
                                     .correct = o.integer_output({P, N}),
                                     .logits = o.normal({P, N, C}),
                                     .labels = o.given(labels),
                                     .loss = loss};
          if (!implementation.supports(args)) return;
          args.check();
          implementation.run(args, context);
          o.check_guards("loss_forward");
          const Tensor losses = args.losses.to(Device::cpu), correct = args.correct.to(Device::cpu);
          for (int64_t i = 0; i < P * N; ++i) {
            CHECK(std::isnan(losses.data<float>()[i]) == (i % 2 == 1));
            if (i % 2 == 1) CHECK(correct.data<int32_t>()[i] == 0);
          }
        });
    if (is_measure(loss.kind)) continue;
    for_each_execution<LossBackwardArgs>(
        [&](const auto& implementation, const Execution&, Context& context) {
          if (implementation.device == Device::cpu) return;
          Operands o(5, DType::f32, implementation.device);
          const LossBackwardArgs args{.dlogits = o.output({N, C}),
                                      .logits = o.normal({N, C}),
                                      .labels = o.given(labels),
                                      .loss = loss};
          if (!implementation.supports(args)) return;
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
  loss_forward({.losses = losses, .logits = logits, .labels = labels, .loss = LossKind::mse},
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
                  .loss = {LossKind::cross_entropy, expected.smoothing}},
                 context);
    loss_backward({.dlogits = dlogits,
                   .logits = logits,
                   .labels = labels,
                   .loss = {LossKind::cross_entropy, expected.smoothing},
                   .scale = 1.0 / N},
                  context);
    for (int64_t n = 0; n < N; ++n)
      CHECK(losses.data<double>()[n] == doctest::Approx(expected.losses[n]).epsilon(1e-14));
    for (int64_t i = 0; i < N * C; ++i)
      CHECK(std::abs(dlogits.data<double>()[i] - expected.gradient[i]) <= 1e-15);
  }
}

/// Results of an implementation, brought to the CPU; undefined where it is of another loss.
struct Losses {
  Tensor losses, correct;
};

Losses losses_of(const Implementation<LossForwardArgs>& implementation, const Tensor& logits,
                 const Tensor& labels, Context& context) {
  const Shape images{logits.dim(0)};
  const LossForwardArgs args{.losses = Tensor(images, DType::f32, implementation.device),
                             .correct = Tensor(images, DType::i32, implementation.device),
                             .logits = logits.to(implementation.device),
                             .labels = labels.to(implementation.device)};
  if (!implementation.supports(args)) return {};
  implementation.run(args, context);
  return {args.losses.to(Device::cpu), args.correct.to(Device::cpu)};
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
        if (!there.losses.defined()) return;  // one of another loss
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
        const LossBackwardArgs args{.dlogits = there,
                                    .logits = logits.to(implementation.device),
                                    .labels = labels.to(implementation.device)};
        if (!implementation.supports(args)) return;
        implementation.run(args, context);
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
        if (!there.losses.defined()) return;  // one of another loss
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
