// How well the gradients of different minibatches agree at a point: what decides whether stochastic
// gradient descent makes headway there. K. Sankararaman, S. De, Z. Xu, W. R. Huang, T. Goldstein,
// "The Impact of Neural Network Overparameterization on Gradient Confusion and Stochastic Gradient
// Descent", ICML 2020; S. McCandlish, J. Kaplan, D. Amodei et al., "An Empirical Model of
// Large-Batch Training", 2018.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "landscape/curvature/curvature_operator.h"

namespace topograd {

/// The products g_i g_j of the gradients of n minibatches, in double.
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

/// What the gradients of B minibatches of b images say, in all parameters or some.
///
/// Standard errors are those of the jackknife that leaves out one minibatch at a time: the pairs of
/// minibatches are no independent sample. NaN for two minibatches. Where a gradient is zero there
/// are no cosines: those of its pairs, and with them the mean, are NaN.
struct CoherenceStatistics {
  double gradient_norm = 0;        ///< |mean of the gradients|
  double batch_gradient_norm = 0;  ///< the mean of |g_i|
  double cosine = 0;               ///< the mean of cos(g_i, g_j) over all pairs i < j
  double cosine_se = 0;
  double cosine_min = 0;         ///< of the worst pair
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
/// At least two minibatches.
CoherenceStatistics coherence_of(const GramMatrix& gram, int64_t images_per_batch);

/// Parameters of one layer (a convolution, a BatchNorm, ...), which follow one another in theta.
struct LayerParameters {
  std::string name;  ///< "layer1.0.conv1"
  ParameterRange range;
};
std::vector<LayerParameters> layers_of(const ParameterLayout& layout);

struct Coherence {
  double loss = 0;      ///< the mean over the minibatches
  double accuracy = 0;  ///< percent
  CoherenceStatistics all;
  std::vector<CoherenceStatistics> layers;  ///< as layers_of()
  GramMatrix gram;                          ///< in all parameters
};

struct CoherenceSpec {
  const Graph& graph;
  LabelledImages images;
  LossKind loss = LossKind::cross_entropy;
  /// `batch`: each minibatch normalises by its own statistics, as in training.
  BatchnormMode mode = BatchnormMode::frozen;
  int64_t batches = 16;
  int64_t batch_size = 64;
  uint64_t seed = 1;  ///< which images make up the minibatches: no image is in two of them
};

/// Gradients of the same minibatches at one point after another. Keeps all of a point's gradients:
/// batches times parameters floats on the pool's device.
class GradientSampler {
 public:
  /// The graph and the pool must outlive it. Throws Error where there are too few images.
  GradientSampler(const CoherenceSpec& spec, ThreadPool& pool);
  /// Throws that Error.
  static void check(const CoherenceSpec& spec);

  /// Called after every minibatch, with those done; false: stop.
  using Progress = std::function<bool(int64_t batches)>;
  /// Nothing where `progress` stopped it. The same bits for any number of threads.
  std::optional<Coherence> at(const Tensor& theta, const Tensor& running_stats,
                              const Progress& progress = {});

  const std::vector<LayerParameters>& layers() const { return layers_; }

 private:
  std::vector<GramMatrix> gram_matrices();

  CoherenceSpec spec_;
  ThreadPool& pool_;
  BatchLoader loader_;
  Network network_;
  std::vector<LayerParameters> layers_;
  Tensor gradients_;  // [batches, parameters]
};

}  // namespace topograd
