// Agreement of the gradients of different minibatches at a point, which decides whether stochastic
// gradient descent makes headway there. K. Sankararaman, S. De, Z. Xu, W. R. Huang, T. Goldstein,
// "The Impact of Neural Network Overparameterization on Gradient Confusion and Stochastic Gradient
// Descent", ICML 2020; S. McCandlish, J. Kaplan, D. Amodei et al., "An Empirical Model of
// Large-Batch Training", 2018.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace topograd {

/// Products g_i g_j of the gradients of n minibatches, in double.
struct GramMatrix {
  int64_t n = 0;
  std::vector<double> values;  ///< [n, n], symmetric

  GramMatrix() = default;
  explicit GramMatrix(int64_t size) : n(size), values(static_cast<size_t>(size * size), 0.0) {}
  double at(int64_t i, int64_t j) const { return values[static_cast<size_t>(i * n + j)]; }
  void set(int64_t i, int64_t j, double value) {
    values[static_cast<size_t>(i * n + j)] = values[static_cast<size_t>(j * n + i)] = value;
  }
};

/// Statistics of the gradients of B minibatches of b images, in all parameters or some.
///
/// Standard errors are those of the jackknife that leaves out one minibatch at a time: the pairs of
/// minibatches are no independent sample. NaN for two minibatches. Where a gradient is zero there
/// are no cosines: those of its pairs, and with them the mean, are NaN.
struct CoherenceStatistics {
  double gradient_norm = 0;        ///< |mean of the gradients|
  double batch_gradient_norm = 0;  ///< the mean of |g_i|
  double cosine = 0;               ///< the mean of cos(g_i, g_j) over all pairs i < j
  double cosine_se = 0;
  double cosine_min = 0;         ///< that of the worst pair
  double inner_product_min = 0;  ///< the smallest g_i g_j: gradient confusion is its negative
  /// |E g|^2 / trace(Cov g) of a minibatch's gradient: the mean of g_i g_j over pairs, which is
  /// |E g|^2 without bias, over the sample's trace of the covariance. The mean over the parameters,
  /// each weighted by its variance, of the GSNR of J. Liu et al., "Understanding Why Neural
  /// Networks Generalize Well Through GSNR of Parameters", ICLR 2020. Below 0 where the sample
  /// cannot tell the mean from 0.
  double snr = 0;
  double snr_se = 0;
  /// b / snr, in images: McCandlish et al.'s simple noise scale, trace(Cov) / |E g|^2 of single
  /// images, about the batch beyond which larger ones stop paying. Infinite where snr is not
  /// above 0. With BatchNorm's batch statistics it depends on b.
  double noise_scale = 0;
};
/// Returns the statistics of minibatches of `images_per_batch` images. Throws Error for fewer than
/// two of them.
CoherenceStatistics coherence_of(const GramMatrix& gram, int64_t images_per_batch);

}  // namespace topograd
