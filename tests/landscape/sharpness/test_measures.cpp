// Measures of sharpness against closed forms on a quadratic, and a network's loss against
// differences of itself.
#include "landscape/sharpness/measures.h"

#include <doctest/doctest.h>

#include <cmath>

#include "kernels/core/numbers.h"
#include "landscape/results/observer.h"
#include "landscape/sharpness/network_loss.h"
#include "nn/inference.h"
#include "tests/nn/nn_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

/// L(x) = 2 + b'(x - theta) + (x - theta)'A(x - theta) / 2, in double; the error is 10 L percent.
class Quadratic : public LossFunction {
 public:
  /// `curvatures` on the diagonal of A, and `coupling` beside it.
  Quadratic(std::vector<double> slopes, std::vector<double> curvatures, double coupling = 0)
      : b_(std::move(slopes)), theta_(normals(static_cast<int64_t>(b_.size()), 5)) {
    const size_t n = b_.size();
    a_.assign(n * n, 0.0);
    for (size_t i = 0; i < n; ++i) {
      a_[i * n + i] = curvatures[i];
      if (i + 1 < n) a_[i * n + i + 1] = a_[(i + 1) * n + i] = coupling;
    }
  }

  const Tensor& theta() const override { return theta_; }
  std::vector<LossValue> along(const Tensor& direction, std::span<const double> alphas) override {
    std::vector<LossValue> found;
    for (double alpha : alphas) {
      const double value = 2 + alpha * slope(direction) + alpha * alpha * curvature(direction) / 2;
      found.push_back({value, 10 * value, 0});
    }
    return found;
  }
  double gradient(const Tensor& gradient, const Tensor& displacement) override {
    for (size_t i = 0; i < b_.size(); ++i)
      gradient.data<float>()[i] =
          static_cast<float>(b_[i] + (displacement.defined() ? row_times(i, displacement) : 0));
    return displacement.defined() ? at(displacement, 1).loss : 2;
  }
  void multiply(const Tensor& product, const Tensor& v) override {
    for (size_t i = 0; i < b_.size(); ++i)
      product.data<float>()[i] = static_cast<float>(row_times(i, v));
  }

  double slope(const Tensor& d) const {
    double sum = 0;
    for (size_t i = 0; i < b_.size(); ++i) sum += b_[i] * d.data<float>()[i];
    return sum;
  }
  double curvature(const Tensor& d) const {
    double sum = 0;
    for (size_t i = 0; i < b_.size(); ++i) sum += d.data<float>()[i] * row_times(i, d);
    return sum;
  }

 private:
  double row_times(size_t i, const Tensor& v) const {
    double sum = 0;
    for (size_t j = 0; j < b_.size(); ++j) sum += a_[i * b_.size() + j] * v.data<float>()[j];
    return sum;
  }

  std::vector<double> b_, a_;
  Tensor theta_;
};

Quadratic bowl() {
  return {{0.5, -0.25, 1.0, 0.125}, {2.0, 5.0, 1.0, 3.0}, 0.5};
}

/// e = rho T^2 g / |T g| for the gradient at theta, T = |theta_i| + eta or 1.
Tensor ascent(Quadratic& loss, double rho, bool adaptive, double eta) {
  const Tensor g(loss.theta().shape());
  loss.gradient(g, {});
  std::vector<double> t;
  double squares = 0;
  for (int64_t i = 0; i < g.size(); ++i) {
    t.push_back(adaptive ? std::abs(loss.theta().data<float>()[i]) + eta : 1.0);
    squares += std::pow(t.back() * g.data<float>()[i], 2);
  }
  for (int64_t i = 0; i < g.size(); ++i)
    g.data<float>()[i] =
        static_cast<float>(rho * t[at(i)] * t[at(i)] * g.data<float>()[i] / std::sqrt(squares));
  return g;
}

SampledDirections some_directions(int count) {
  return {count, [](uint32_t number) { return normals(4, 100 + number); }};
}

/// The mean and its standard error, from the textbook.
Estimate mean_over(int count, const std::function<double(const Tensor&)>& value) {
  const SampledDirections directions = some_directions(count);
  double sum = 0, squares = 0;
  for (int k = 0; k < count; ++k) {
    const double v = value(directions[k]);
    sum += v;
    squares += v * v;
  }
  const double mean = sum / count;
  return {mean, std::sqrt((squares / count - mean * mean) / (count - 1))};
}

void check_close(const Estimate& found, const Estimate& expected) {
  CHECK(found.value == doctest::Approx(expected.value).epsilon(1e-5));
  CHECK(found.standard_error == doctest::Approx(expected.standard_error).epsilon(1e-4));
}

}  // namespace

TEST_CASE("sharpness: SAM and ASAM step to where the gradient, scaled, points") {
  Quadratic loss = bowl();
  for (bool adaptive : {false, true})
    for (double eta : {0.0, 0.5}) {
      const Tensor e = ascent(loss, 0.3, adaptive, eta);
      CHECK(sam_sharpness(loss, {.rho = 0.3, .adaptive = adaptive, .eta = eta}) ==
            doctest::Approx(loss.slope(e) + loss.curvature(e) / 2).epsilon(1e-5));
    }
  // |g| rho + rho^2 g'Ag / 2 g'g, where A = 2 I.
  Quadratic round({3, 4}, {2, 2});
  CHECK(sam_sharpness(round, {.rho = 0.1}) == doctest::Approx(0.5 + 0.01).epsilon(1e-5));
  // In a round bowl the second step goes on in the first one's direction.
  CHECK(sam_sharpness(round, {.rho = 0.1, .steps = 4}) ==
        doctest::Approx(0.5 + 0.01).epsilon(1e-5));
  // Elsewhere more steps climb higher.
  CHECK(sam_sharpness(loss, {.rho = 0.3, .steps = 8}) > sam_sharpness(loss, {.rho = 0.3}));
}

TEST_CASE("sharpness: no gradient, no direction") {
  Quadratic flat({0, 0}, {1, 2});
  CHECK(std::isnan(sam_sharpness(flat, {})));
  CHECK(std::isnan(sam_sharpness(flat, {.adaptive = true})));
  CHECK(std::isnan(critical_sharpness(flat, 0.01)));
}

TEST_CASE("sharpness: Keskar's is the largest rise in the box, in percent of 1 + L") {
  // Without coupling every coordinate has its own maximum, at an end of its side.
  Quadratic loss({0.5, -0.25, 1.0, 0.125}, {2.0, 5.0, 1.0, 3.0});
  const double epsilon = 1e-2;
  double rise = 0;
  const double slopes[] = {0.5, -0.25, 1.0, 0.125}, curvatures[] = {2.0, 5.0, 1.0, 3.0};
  for (size_t i = 0; i < 4; ++i) {
    const double end = epsilon * (std::abs(loss.theta().data<float>()[i]) + 1);
    rise += std::abs(slopes[i]) * end + curvatures[i] * end * end / 2;
  }
  for (int steps : {1, 3, 10})
    CHECK(keskar_sharpness(loss, epsilon, steps) == doctest::Approx(100 * rise / 3).epsilon(1e-5));
  // Nothing is higher than the top of a hill.
  Quadratic hill({0, 0}, {-1, -2});
  CHECK(keskar_sharpness(hill, epsilon, 5) == 0);
  // A summit inside the box: L rises by 1/2 s^2 / |a| at s / |a|, and steps come near to it.
  Quadratic dome({1.0, 1.0}, {-200, -200});
  CHECK(keskar_sharpness(dome, 0.01, 50) ==
        doctest::Approx(100 * (2 * 0.5 / 200) / 3).epsilon(0.1));
}

TEST_CASE("sharpness: means over directions, and their errors") {
  Quadratic loss = bowl();
  check_close(expected_sharpness(loss, some_directions(7), 0.2), mean_over(7, [&](const Tensor& d) {
                return 0.2 * loss.slope(d) + 0.02 * loss.curvature(d);
              }));
  check_close(mean_curvature(loss, some_directions(7)),
              mean_over(7, [&](const Tensor& d) { return loss.curvature(d); }));
  CHECK(std::isnan(mean_curvature(loss, some_directions(1)).standard_error));
}

TEST_CASE("sharpness: a basin ends where the loss has risen") {
  Quadratic loss = bowl();
  const Estimate found = basin_width(loss, some_directions(6), 0.7, 1e-6);
  // q a^2 / 2 + p a = rise: the roots are 2 sqrt(p^2 + 2 q rise) / q apart.
  check_close(found, mean_over(6, [&](const Tensor& d) {
                const double p = loss.slope(d), q = loss.curvature(d);
                return 2 * std::sqrt(p * p + 2 * q * 0.7) / q;
              }));
  Quadratic plain({0, 0, 0, 0}, {0, 0, 0, 0});
  CHECK(basin_width(plain, some_directions(2), 0.1, 0.01).value == kInfinity);
}

TEST_CASE("sharpness: PAC-Bayes' sigma is where the mean increase meets the target") {
  Quadratic loss = bowl();
  const Estimate p = mean_over(9, [&](const Tensor& d) { return loss.slope(d); });
  const Estimate q = mean_over(9, [&](const Tensor& d) { return loss.curvature(d); });
  const auto root = [&](double target) {
    return (std::sqrt(p.value * p.value + 2 * q.value * target) - p.value) / q.value;
  };
  const Estimate by_loss = pac_bayes_sigma(loss, some_directions(9), IncreaseOf::loss, 0.4, 1e-6);
  CHECK(by_loss.value == doctest::Approx(root(0.4)).epsilon(1e-5));
  CHECK(pac_bayes_sigma(loss, some_directions(9), IncreaseOf::error, 4, 1e-6).value ==
        doctest::Approx(root(0.4)).epsilon(1e-5));
  // The error of the mean increase there, over its slope.
  const double s = by_loss.value;
  const Estimate increase = mean_over(
      9, [&](const Tensor& d) { return s * loss.slope(d) + s * s * loss.curvature(d) / 2; });
  CHECK(by_loss.standard_error ==
        doctest::Approx(increase.standard_error / (p.value + s * q.value)).epsilon(0.02));
  Quadratic plain({0, 0, 0, 0}, {0, 0, 0, 0});
  CHECK(pac_bayes_sigma(plain, some_directions(2), IncreaseOf::loss, 0.1, 0.01).value == kInfinity);
}

TEST_CASE("sharpness: critical sharpness of a quadratic is the gradient's Rayleigh quotient") {
  Quadratic loss = bowl();
  const Tensor g(loss.theta().shape());
  loss.gradient(g, {});
  double squares = 0;
  for (int64_t i = 0; i < g.size(); ++i) squares += std::pow(g.data<float>()[i], 2);
  CHECK(critical_sharpness(loss, 1e-6) ==
        doctest::Approx(loss.curvature(g) / squares).epsilon(1e-4));
  Quadratic slope({1, 1}, {0, 0});
  CHECK(critical_sharpness(slope, 0.01) == 0);  // downhill for ever
}

TEST_CASE("sharpness: a crossing is bracketed from either side") {
  for (double start : {1e-6, 0.01, 3.0, 1e6})
    CHECK(crossing([](double x) { return x > 3.0; }, start, 1e-9) == doctest::Approx(3.0));
  CHECK(crossing([](double) { return false; }, 1, 0.1) == kInfinity);
  CHECK(crossing([](double) { return true; }, 1, 0.1) == 0);
}

TEST_CASE("sharpness: a network's loss, its gradient and its curvature are of one function") {
  Graph g({6, 6, 3});
  Value x = g.activation(g.batchnorm(g.conv(g.input(), 4)), Activation::tanh);
  g.set_output(g.linear(g.global_average_pool(x), 3));
  const Weights w = random_weights(g, 3);
  const LabelledImages images = labelled_images(40, 6, 3, 1);
  ThreadPool pool(2);
  NetworkLoss loss(
      {.graph = g, .theta = w.theta, .running_stats = w.running_stats, .images = images}, pool);
  const LossSums sums =
      evaluate(g, w.theta, w.running_stats, images, LossKind::cross_entropy, pool);
  CHECK(loss.centre().loss == doctest::Approx(sums.mean()).epsilon(1e-6));
  CHECK(loss.centre().error == doctest::Approx(100 - sums.accuracy()));
  CHECK(loss.centre().loss_standard_error == doctest::Approx(sums.standard_error()).epsilon(1e-4));

  const Tensor d = normals(loss.size(), 8, 0.3), away = normals(loss.size(), 9, 0.2);
  const Tensor here(d.shape()), there(d.shape()), product(d.shape());
  const auto slope = [&](const Tensor& gradient) {
    double sum = 0;
    for (int64_t i = 0; i < d.size(); ++i)
      sum += static_cast<double>(gradient.data<float>()[i]) * d.data<float>()[i];
    return sum;
  };
  const double h = 0.01;
  const std::vector<double> steps{-h, 0, h};
  const auto losses = loss.along(d, steps);
  CHECK(loss.gradient(here, {}) == doctest::Approx(losses[1].loss).epsilon(1e-5));
  CHECK(slope(here) == doctest::Approx((losses[2].loss - losses[0].loss) / (2 * h)).epsilon(0.01));
  // Elsewhere, and back again.
  CHECK(loss.gradient(there, away) == doctest::Approx(loss.at(away, 1).loss).epsilon(1e-5));
  CHECK(!same_bits(there, here));
  const Tensor again(d.shape());
  loss.gradient(again, {});
  CHECK(same_bits(again, here));
  loss.multiply(product, d);
  const Tensor ahead(d.shape()), behind(d.shape()), step = d.clone(), back = d.clone();
  for (int64_t i = 0; i < d.size(); ++i) {
    step.data<float>()[i] *= static_cast<float>(h);
    back.data<float>()[i] *= static_cast<float>(-h);
  }
  loss.gradient(ahead, step);
  loss.gradient(behind, back);
  CHECK(slope(product) == doctest::Approx((slope(ahead) - slope(behind)) / (2 * h)).epsilon(0.01));
}

TEST_CASE("sharpness: measuring stops when it is told to") {
  Graph g({6, 6, 3});
  g.set_output(g.linear(g.global_average_pool(g.conv(g.input(), 4)), 3));
  const Weights w = random_weights(g, 3);
  const LabelledImages images = labelled_images(10, 6, 3, 1);
  ThreadPool pool(1);
  NetworkLoss loss(
      {.graph = g, .theta = w.theta, .running_stats = w.running_stats, .images = images}, pool,
      [] { return true; }, "some is saved");
  const Tensor v(w.theta.shape());
  CHECK_THROWS_WITH_AS(loss.centre(), "some is saved", Interrupted);
  CHECK_THROWS_AS(loss.gradient(v, {}), Interrupted);
  CHECK_THROWS_AS(loss.multiply(v, w.theta), Interrupted);
}

TEST_CASE("sharpness: normal directions are normal, in all of theta") {
  Graph g({8, 8, 3});
  g.set_output(g.linear(g.global_average_pool(g.batchnorm(g.conv(g.input(), 32))), 10));
  const Weights w = random_weights(g, 3);
  const SampledDirections plain = normal_directions(g.layout(), w.theta, false, 2, 7);
  const SampledDirections scaled = normal_directions(g.layout(), w.theta, true, 2, 7);
  double sum = 0, squares = 0;
  const auto n = static_cast<double>(w.theta.size());
  for (int64_t i = 0; i < w.theta.size(); ++i) {
    const double z = plain[0].data<float>()[i];
    sum += z;
    squares += z * z;
    CHECK(scaled[0].data<float>()[i] ==
          doctest::Approx(z * std::abs(w.theta.data<float>()[i])).epsilon(1e-6));
  }
  CHECK(std::abs(sum / n) < 4 / std::sqrt(n));
  CHECK(std::abs(squares / n - 1) < 4 * std::sqrt(2 / n));
  CHECK(!same_bits(plain[0], plain[1]));
  CHECK(same_bits(plain[1], normal_directions(g.layout(), w.theta, false, 2, 7)[1]));
}
