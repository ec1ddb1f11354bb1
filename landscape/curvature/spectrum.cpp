#include "landscape/curvature/spectrum.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "kernels/random/random_normal.h"
#include "kernels/vector/vector.h"

namespace topograd {

namespace {

struct Stopped {};

/// Counts products, and throws Stopped where progress says so.
class Counted {
 public:
  Counted(const LinearOperator& A, const ProductProgress& progress) : A_(A), progress_(progress) {}
  void operator()(const Tensor& product, const Tensor& v) {
    A_(product, v);
    ++products_;
    if (progress_ && !progress_(products_)) throw Stopped();
  }
  int products() const { return products_; }

 private:
  const LinearOperator& A_;
  const ProductProgress& progress_;
  int products_ = 0;
};

Tensor probe(int64_t n, uint64_t seed, uint32_t number, Context& context) {
  const Tensor v({n}, DType::f32, context.device());
  random_normal({.y = v, .random = Philox(seed, RandomStream::probe, number)}, context);
  return v;
}

/// Takes from v its part in the space of orthonormal vectors; twice, for what rounding leaves.
void take_out(const Tensor& v, const std::vector<Tensor>& basis, Context& context) {
  for (int pass = 0; pass < 2; ++pass)
    for (const Tensor& q : basis) axpy({.y = v, .x = q, .a = -dot(q, v, context)}, context);
}

struct MeanAndError {
  double mean, standard_error;
};
MeanAndError mean_of(const std::vector<double>& samples) {
  const double n = static_cast<double>(samples.size());
  double sum = 0, squares = 0;
  for (double x : samples) sum += x / n;
  for (double x : samples) squares += (x - sum) * (x - sum);
  if (samples.empty()) sum = std::nan("");
  return {sum, samples.size() < 2 ? std::nan("") : std::sqrt(squares / (n * (n - 1)))};
}

/// Returns an orthonormal basis of the range of A on some probes.
std::vector<Tensor> range_of(Counted& A, int64_t n, int count, uint64_t seed, Context& context) {
  std::vector<Tensor> basis;
  for (int k = 0; k < count; ++k) {
    const Tensor product({n}, DType::f32, context.device());
    A(product, probe(n, seed, static_cast<uint32_t>(k), context));
    const double before = norm(product, context);
    take_out(product, basis, context);
    const double length = norm(product, context);
    if (!(length > 1e-5 * before)) continue;  // nothing new: the range is as small as that
    scale({.y = product, .a = 1 / length}, context);
    basis.push_back(product);
  }
  return basis;
}

}  // namespace

TraceEstimate estimate_trace(const LinearOperator& matrix, int64_t n, int products, uint64_t seed,
                             Context& context, const ProductProgress& progress) {
  require(products >= 6 && n > 0, "a trace takes at least six products, not ", products);
  const int third = static_cast<int>(std::min<int64_t>(products / 3, n));
  Counted A(matrix, progress);
  double exact = std::nan("");
  std::vector<double> samples;
  try {
    const std::vector<Tensor> basis = range_of(A, n, third, seed, context);
    const Tensor product({n}, DType::f32, context.device());
    double on_range = 0;
    for (const Tensor& q : basis) {
      A(product, q);
      on_range += dot(q, product, context);
    }
    exact = on_range;
    for (int k = 0; k < third; ++k) {
      const Tensor v = probe(n, seed, static_cast<uint32_t>(third + k), context);
      take_out(v, basis, context);
      A(product, v);
      samples.push_back(dot(v, product, context));
    }
  } catch (const Stopped&) {
  }
  const auto [mean, standard_error] = mean_of(samples);
  return {exact + mean, standard_error, A.products()};
}

MassBelow SpectralDensity::mass_below(double x) const {
  std::vector<double> low, high;
  for (const SpectralMeasure& probe : probes) {
    const ShareBounds bounds = topograd::mass_below(probe, x);
    low.push_back(bounds.low);
    high.push_back(bounds.high);
  }
  const auto [least, least_error] = mean_of(low);
  const auto [most, most_error] = mean_of(high);
  return {least, most, least_error, most_error};
}

namespace {

/// Returns one probe's curve at x.
double smoothed(const SpectralMeasure& measure, double x, double sigma) {
  double density = 0;
  for (size_t i = 0; i < measure.values.size(); ++i) {
    const double z = (x - measure.values[i]) / sigma;
    density += measure.weights[i] * std::exp(-0.5 * z * z);
  }
  return density / (sigma * std::sqrt(2 * std::numbers::pi));
}

void draw_curve(SpectralDensity& result, const DensityOptions& options) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const SpectralMeasure& measure : result.probes) {
    low = std::min(low, measure.values.front());
    high = std::max(high, measure.values.back());
  }
  const double extent = std::max(high - low, 1e-6 * std::max(std::abs(low), std::abs(high)));
  result.sigma = options.sigma > 0 ? options.sigma : std::max(extent / 200, 1e-300);
  low -= 5 * result.sigma;
  high += 5 * result.sigma;
  for (int i = 0; i < options.points; ++i) {
    const double x = low + (high - low) * i / (options.points - 1);
    std::vector<double> samples;
    for (const SpectralMeasure& measure : result.probes)
      samples.push_back(smoothed(measure, x, result.sigma));
    const auto [mean, standard_error] = mean_of(samples);
    result.at.push_back(x);
    result.density.push_back(mean);
    result.standard_error.push_back(standard_error);
  }
}

}  // namespace

SpectralDensity spectral_density(const LinearOperator& matrix, int64_t n,
                                 const DensityOptions& options, Context& context,
                                 const ProductProgress& progress) {
  require(options.probes > 0 && options.steps > 0 && options.points > 1, "a density of ",
          options.probes, " probes, ", options.steps, " steps and ", options.points, " points");
  Counted counted(matrix, progress);
  const LinearOperator A = [&](const Tensor& product, const Tensor& v) { counted(product, v); };
  SpectralDensity result;
  result.steps = options.steps;
  try {
    for (int k = 0; k < options.probes; ++k)
      result.probes.push_back(spectral_measure(
          A, probe(n, options.seed, static_cast<uint32_t>(k), context), options.steps, context));
  } catch (const Stopped&) {
  }
  if (!result.probes.empty()) draw_curve(result, options);
  return result;
}

}  // namespace topograd
