#include "kernels/softmax_xent/softmax_xent.h"
#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

constexpr LossKind kKinds[] = {LossKind::cross_entropy, LossKind::mse};

TEST_CASE("softmax_xent: every row equals the reference") {
  for (LossKind kind : kKinds)
    for (int64_t N : {0, 1, 31, 33})
      for (int64_t C : {1, 2, 10, 101}) {
        const std::string what = text(name_of(kind), " N=", N, " C=", C);
        const auto labels = [&](Operands& o) { return o.integers({N}, static_cast<uint32_t>(C)); };
        check_op<LossForwardArgs>(
            "loss_forward " + what,
            [&](Operands& o) {
              return LossForwardArgs{.losses = o.output({N}),
                                     .correct = o.integer_output({N}),
                                     .logits = o.normal({N, C}, 3.0),
                                     .labels = labels(o),
                                     .kind = kind};
            },
            2e-7);  // double inside, rounded once
        check_op<LossBackwardArgs>(
            "loss_backward " + what,
            [&](Operands& o) {
              return LossBackwardArgs{.dlogits = o.output({N, C}),
                                      .logits = o.normal({N, C}, 3.0),
                                      .labels = labels(o),
                                      .kind = kind,
                                      .scale = 0.37};
            },
            2e-7);
      }
}

TEST_CASE("softmax_xent: every loss has full precision, the smallest too") {
  const int64_t N = 500, C = 10;
  Operands o(4, DType::f32);
  const Tensor logits = o.normal({N, C}, 8.0);  // confident: losses from 1e-10 to 40
  const Tensor labels = o.integers({N}, C);
  Context context;
  const Tensor exact({N}, DType::f64), losses({N});
  context.force_implementation("loss", "reference");
  loss_forward({.losses = exact, .logits = logits.converted(DType::f64), .labels = labels},
               context);
  for (const char* row : {"reference", "highway"}) {
    context.force_implementation("loss", row);
    loss_forward({.losses = losses, .logits = logits, .labels = labels}, context);
    for (int64_t n = 0; n < N; ++n) {
      // Rounded to float once; the sum of exponentials, at least 1, to double.
      const double loss = exact.data<double>()[n];
      CHECK(std::abs(losses.data<float>()[n] - loss) <= 6e-8 * loss + 1e-15);
    }
  }
}

TEST_CASE("softmax_xent: known values") {
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

TEST_CASE("softmax_xent: the gradient is the derivative of the loss") {
  Context context;
  const int64_t N = 5, C = 7;
  Operands o(3, DType::f64);
  const Tensor logits = o.normal({N, C});
  const Tensor labels = o.integers({N}, C);
  for (LossKind kind : kKinds) {
    const Tensor dlogits({N, C}, DType::f64);
    loss_backward(
        {.dlogits = dlogits, .logits = logits, .labels = labels, .kind = kind, .scale = 0.5},
        context);
    const auto half_sum = [&] {
      const Tensor losses({N}, DType::f64);
      loss_forward({.losses = losses, .logits = logits, .labels = labels, .kind = kind}, context);
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

TEST_CASE("softmax_xent: extreme logits, ties and NaN") {
  Context context;
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
  for (const char* row : {"reference", "highway"})
    for (const auto& image : images) {
      context.force_implementation("loss", row);
      const Tensor logits({1, 3}), losses({1}), dlogits({1, 3});
      const Tensor labels({1}, DType::i32), correct({1}, DType::i32);
      std::copy_n(image.z, 3, logits.data<float>());
      labels.data<int32_t>()[0] = image.label;
      loss_forward({.losses = losses, .correct = correct, .logits = logits, .labels = labels},
                   context);
      CHECK(correct.data<int32_t>()[0] == image.correct);
      const float loss = losses.data<float>()[0];
      if (std::isnan(image.loss))
        CHECK(std::isnan(loss));
      else if (std::isinf(image.loss))
        CHECK(loss == image.loss);
      else
        CHECK(loss == doctest::Approx(image.loss));
      loss_backward({.dlogits = dlogits, .logits = logits, .labels = labels}, context);
      for (int64_t c = 0; c < 3; ++c)
        CHECK(std::isnan(dlogits.data<float>()[c]) == std::isnan(image.loss));
    }
}

TEST_CASE("softmax_xent: labels out of range, wrong shapes and unknown names are refused") {
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
  CHECK_THROWS_AS(loss_named("hinge"), Error);
  CHECK(loss_named("mse") == LossKind::mse);
}
