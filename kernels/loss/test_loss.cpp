#include "kernels/loss/test_loss_cases.h"

using namespace topograd;
using namespace topograd::test;

struct Size {
  int64_t P, N, C;  // P = 0: logits without the axis of the points
};
/// Sizes of a case: the usual losses have kernels of their own, the others share the frame that is
/// tried at all of its edges by a few.
std::vector<Size> sizes_of(const LossCase& c) {
  std::vector<Size> sizes{{0, 0, 3}, {0, 1, 1}, {2, 40, 2}, {3, 5, 33}, {0, 33, 10}, {0, 3, 101}};
  if (c.numbers || c.weights || (c.kind != LossKind::cross_entropy && c.kind != LossKind::mse))
    return sizes;
  for (int64_t P : {0, 1, 3})
    for (int64_t N : {0, 1, 31, 33})
      for (int64_t C : {1, 2, 10, 32, 101}) sizes.push_back({P, N, C});
  return sizes;
}

TEST_CASE("loss: every implementation equals the reference, for one network and for several") {
  for (const LossCase& c : loss_cases())
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
  for (const LossCase& c : loss_cases())
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
