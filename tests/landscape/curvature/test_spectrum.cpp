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
  CHECK(found.mass_below(-100) == 0);
  CHECK(found.mass_below(100) == doctest::Approx(1).epsilon(1e-6));
  CHECK(found.mass_below(1) == doctest::Approx(1 - 4.0 / n).epsilon(2e-3));
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
