#include "landscape/coherence/coherence.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/core/check.h"
#include "kernels/core/numbers.h"

namespace topograd {

namespace {

double pairs_of(int64_t n) {
  return 0.5 * static_cast<double>(n) * static_cast<double>(n - 1);
}

/// Returns the jackknife's standard error of a mean over pairs: `without_one` has the mean without
/// each item.
double jackknife_error(const std::vector<double>& without_one) {
  const auto n = static_cast<double>(without_one.size());
  if (without_one.size() < 3) return kNaN;
  double mean = 0, squares = 0;
  for (double value : without_one) mean += value / n;
  for (double value : without_one) squares += (value - mean) * (value - mean);
  return std::sqrt((n - 1) / n * squares);
}

double cosine(const GramMatrix& gram, int64_t i, int64_t j) {
  const double lengths = std::sqrt(gram.at(i, i)) * std::sqrt(gram.at(j, j));
  return lengths > 0 ? gram.at(i, j) / lengths : kNaN;
}

void find_cosines(const GramMatrix& gram, CoherenceStatistics& result) {
  double sum = 0;
  std::vector<double> of_one(static_cast<size_t>(gram.n), 0.0);
  result.cosine_min = result.inner_product_min = std::numeric_limits<double>::infinity();
  for (int64_t i = 0; i < gram.n; ++i)
    for (int64_t j = i + 1; j < gram.n; ++j) {
      const double value = cosine(gram, i, j);
      sum += value;
      of_one[static_cast<size_t>(i)] += value;
      of_one[static_cast<size_t>(j)] += value;
      result.cosine_min = std::min(result.cosine_min, value);
      result.inner_product_min = std::min(result.inner_product_min, gram.at(i, j));
    }
  result.cosine = sum / pairs_of(gram.n);
  if (std::isnan(sum)) result.cosine_min = kNaN;
  for (double& value : of_one) value = (sum - value) / pairs_of(gram.n - 1);
  result.cosine_se = jackknife_error(of_one);
}

/// Returns the ratio of signal to noise of n gradients, from the sum of all products and that of
/// the squares.
double ratio_of(double all, double squares, int64_t n) {
  const auto count = static_cast<double>(n);
  const double signal = (all - squares) / (count * (count - 1));
  const double noise = (squares - all / count) / (count - 1);
  return noise > 0 ? signal / noise : kNaN;
}

void find_noise(const GramMatrix& gram, int64_t images_per_batch, CoherenceStatistics& result) {
  double all = 0, squares = 0;
  std::vector<double> rows(static_cast<size_t>(gram.n), 0.0);
  for (int64_t i = 0; i < gram.n; ++i) {
    for (int64_t j = 0; j < gram.n; ++j) rows[static_cast<size_t>(i)] += gram.at(i, j);
    all += rows[static_cast<size_t>(i)];
    squares += gram.at(i, i);
    result.batch_gradient_norm += std::sqrt(gram.at(i, i)) / static_cast<double>(gram.n);
  }
  result.gradient_norm = std::sqrt(std::max(all, 0.0)) / static_cast<double>(gram.n);
  result.snr = ratio_of(all, squares, gram.n);
  result.noise_scale = result.snr > 0 ? static_cast<double>(images_per_batch) / result.snr
                                      : std::numeric_limits<double>::infinity();
  if (std::isnan(result.snr)) result.noise_scale = kNaN;
  std::vector<double> without;
  for (int64_t i = 0; i < gram.n; ++i) {
    const double own = gram.at(i, i);
    without.push_back(
        ratio_of(all - 2 * rows[static_cast<size_t>(i)] + own, squares - own, gram.n - 1));
  }
  result.snr_se = jackknife_error(without);
}

}  // namespace

CoherenceStatistics coherence_of(const GramMatrix& gram, int64_t images_per_batch) {
  require(gram.n >= 2, "gradients of ", gram.n, " minibatches cannot be compared");
  CoherenceStatistics result;
  find_cosines(gram, result);
  find_noise(gram, images_per_batch, result);
  return result;
}

}  // namespace topograd
