// Gradients of minibatches at a network, and their agreement.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "landscape/coherence/coherence.h"
#include "landscape/curvature/curvature_operator.h"
#include "nn/batch_loader.h"

namespace topograd {

/// Parameters of one layer (a convolution, a BatchNorm, ...), which follow one another in theta.
struct LayerParameters {
  std::string name;  ///< "layer1.0.conv1"
  ParameterRange range;
};
/// Returns the layers that have parameters, in theta's order.
std::vector<LayerParameters> layers_of(const ParameterLayout& layout);

/// Agreement of the gradients at one network.
struct Coherence {
  double loss = 0;      ///< the mean over the minibatches
  double accuracy = 0;  ///< percent
  CoherenceStatistics all;
  std::vector<CoherenceStatistics> layers;  ///< in the order of layers_of()
  GramMatrix gram;                          ///< products in all parameters
};

struct CoherenceSpec {
  const Graph& graph;
  LabelledImages images;
  Loss loss{};
  /// BatchNorm's statistics; `batch`: each minibatch normalises by its own, as in training.
  BatchnormMode mode = BatchnormMode::frozen;
  int64_t batches = 16;
  int64_t batch_size = 64;
  uint64_t seed = 1;  ///< seed of the choice of minibatches: no image is in two of them
};

/// Takes gradients of the same minibatches at one point after another. Keeps all of a point's
/// gradients: batches times parameters floats on the pool's device.
class GradientSampler {
 public:
  /// The graph and the pool must outlive it. Throws Error where there are too few images.
  GradientSampler(const CoherenceSpec& spec, ThreadPool& pool);
  /// Throws Error where there are too few images, or a minibatch has too few for BatchNorm.
  static void check(const CoherenceSpec& spec);

  /// Called after every minibatch, with those done; false: stop.
  using Progress = std::function<bool(int64_t batches)>;
  /// Returns the coherence at a network; nothing where `progress` stopped it. The same bits for any
  /// number of threads.
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
