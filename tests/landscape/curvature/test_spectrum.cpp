// Traces and densities against matrices whose eigenvalues are known.
#include "landscape/curvature/spectrum.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numbers>

#include "kernels/core/philox.h"

using namespace topograd;

namespace {

/// diag(values): probes are random in every basis alike.
LinearOperator diagonal(const std::vector<double>& values) {
  return [&values](const Tensor& product, const Tensor& v) {
    for (int64_t i = 0; i < v.size(); ++i)
      product.data<float>()[i] =
          static_cast<float>(values[static_cast<size_t>(i)] * v.data<float>()[i]);
  };
}

/// A bulk around zero and five outliers.
std::vector<double> bulk_and_outliers(size_t n) {
  const Philox random(4, RandomStream::test);
  std::vector<double> values(n);
  for (size_t i = 0; i < n; ++i) values[i] = 0.1 * random.normal(i);
  const double outliers[] = {-3, 4, 7, 11, 25};
  std::copy(std::begin(outliers), std::end(outliers), values.begin());
  return values;
}

double sum(const std::vector<double>& values) {
  double total = 0;
  for (double x : values) total += x;
  return total;
}

}  // namespace

TEST_CASE("trace: within its standard error, which is small where few eigenvalues are large") {
  const std::vector<double> values = bulk_and_outliers(2000);
  const double exact = sum(values);
  Context context;
  double worst = 0, mean_error = 0;
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const TraceEstimate found = estimate_trace(diagonal(values), 2000, 60, seed, context);
    CHECK(found.products == 60);
    CHECK(found.standard_error > 0);
    // Hutchinson's estimate alone: sqrt(2 * 840 / 60) = 5.3.
    CHECK(found.standard_error < 3);
    const double z = (found.value - exact) / found.standard_error;
    worst = std::max(worst, std::abs(z));
    mean_error += z / 20;
  }
  CHECK(worst < 4);
  CHECK(std::abs(mean_error) < 3 / std::sqrt(20.0));
}

TEST_CASE("trace: exact where the range is as small as the probes find") {
  std::vector<double> values(500, 0.0);
  values[3] = 2;
  values[77] = -5;
  values[400] = 1;
  Context context;
  const TraceEstimate found = estimate_trace(diagonal(values), 500, 30, 1, context);
  CHECK(found.value == doctest::Approx(-2).epsilon(1e-5));
  CHECK(found.standard_error < 1e-5);
  CHECK(found.products == 10 + 3 + 10);
}

TEST_CASE("trace: stopped early it says how much it knows") {
  const std::vector<double> values = bulk_and_outliers(300);
  Context context;
  const auto stop_after = [](int most) { return [most](int products) { return products < most; }; };
  const TraceEstimate nothing =
      estimate_trace(diagonal(values), 300, 30, 1, context, stop_after(5));
  CHECK(nothing.products == 5);
  CHECK(std::isnan(nothing.value));
  const TraceEstimate some = estimate_trace(diagonal(values), 300, 30, 1, context, stop_after(25));
  CHECK(some.products == 25);
  CHECK(std::abs(some.value - sum(values)) < 5 * some.standard_error);
}

TEST_CASE("spectral density: mass and curve of a known spectrum") {
  const size_t n = 2000;
  const std::vector<double> values = bulk_and_outliers(n);
  Context context;
  const SpectralDensity found = spectral_density(diagonal(values), static_cast<int64_t>(n),
                                                 {.probes = 10, .steps = 60}, context);
  REQUIRE(found.probes.size() == 10);
  REQUIRE(found.at.size() == 1001);
  double area = 0, worst = 0, largest = 0, distance = 0;
  for (size_t i = 0; i < found.at.size(); ++i) {
    const double step = found.at[1] - found.at[0];
    double exact = 0;
    for (double value : values) {
      const double z = (found.at[i] - value) / found.sigma;
      exact += std::exp(-0.5 * z * z);
    }
    exact /= static_cast<double>(n) * found.sigma * std::sqrt(2 * std::numbers::pi);
    area += found.density[i] * step;
    distance += std::abs(found.density[i] - exact) * step;
    worst = std::max(worst, std::abs(found.density[i] - exact) - 6 * found.standard_error[i]);
    largest = std::max(largest, exact);
  }
  CHECK(area == doctest::Approx(1).epsilon(1e-3));
  CHECK(distance < 0.05);  // of two: the masses lie elsewhere by 2.5 %
  CHECK(worst < 0.02 * largest);
  CHECK(found.steps == 60);
  CHECK(found.mass_below(-100).low == 0);
  CHECK(found.mass_below(100).high == doctest::Approx(1).epsilon(1e-6));
  // Between two eigenvalues that are alone, the nodes on either side are they.
  const MassBelow below = found.mass_below(5);
  CHECK(below.low <= 1 - 3.0 / n);
  CHECK(below.high >= 1 - 3.0 / n - 4 * below.high_error);
  CHECK(below.high - below.low < 0.01);
}

TEST_CASE("mass below: its bounds hold for every number of nodes, and say how little few know") {
  const size_t n = 2000;
  const std::vector<double> values = bulk_and_outliers(n);
  const Tensor start({static_cast<int64_t>(n)});
  const Philox random(12, RandomStream::test);
  for (size_t i = 0; i < n; ++i) start.data<float>()[i] = static_cast<float>(random.normal(i));
  const auto exact_below = [&](double x) {
    double below = 0, all = 0;
    for (size_t i = 0; i < n; ++i) {
      const double square = std::pow(start.data<float>()[i], 2);
      all += square;
      if (values[i] < x) below += square;
    }
    return below / all;
  };
  Context context;
  double widest_by_60 = 0, narrowest_by_5 = 1;
  for (int steps : {1, 2, 5, 10, 20, 40, 60})
    for (double x : {-4.0, -1.0, -0.1, -0.01, 0.0, 0.003, 0.1, 0.2, 5.0, 30.0}) {
      CAPTURE(steps);
      CAPTURE(x);
      const ShareBounds bounds =
          mass_below(spectral_measure(diagonal(values), start, steps, context), x);
      const double exact = exact_below(x);
      CHECK(bounds.low <= exact + 1e-6);
      CHECK(bounds.high >= exact - 1e-6);
      if (x != 0) continue;
      if (steps == 60) widest_by_60 = bounds.high - bounds.low;
      if (steps == 5) narrowest_by_5 = bounds.high - bounds.low;
    }
  CHECK(widest_by_60 < 0.2);
  CHECK(narrowest_by_5 > 0.5);
}

TEST_CASE("mass below: a single probe has bounds, and errors that are not known") {
  SpectralDensity density;
  density.probes = {{{-1, 0, 2}, {0.25, 0.5, 0.25}}};
  const MassBelow at_node = density.mass_below(0), between = density.mass_below(1);
  CHECK(at_node.low == 0);  // the node at 0 may be on either side
  CHECK(at_node.high == 1);
  CHECK(between.low == 0.25);
  CHECK(between.high == 1);
  CHECK(density.mass_below(-2).low == 0);
  CHECK(density.mass_below(-2).high == 0.25);
  CHECK(density.mass_below(3).low == 0.75);
  CHECK(std::isnan(between.low_error));
  density.probes.push_back({{-1, 2}, {0.5, 0.5}});
  CHECK(density.mass_below(1).low == 0.125);
  CHECK(density.mass_below(1).low_error == doctest::Approx(0.125));
}

TEST_CASE("spectral density: stopped early it has the probes that were finished") {
  const std::vector<double> values = bulk_and_outliers(200);
  Context context;
  const auto found = [&](int most) {
    return spectral_density(diagonal(values), 200, {.probes = 5, .steps = 10}, context,
                            [most](int products) { return products < most; });
  };
  CHECK(found(25).probes.size() == 2);
  CHECK(found(25).density.size() == 1001);
  CHECK(found(5).probes.empty());
  CHECK(found(5).density.empty());
}
