// Networks that compute the same function with other weights: layers made larger, and what follows
// them smaller. L. Dinh, R. Pascanu, S. Bengio, Y. Bengio, "Sharp Minima Can Generalize For Deep
// Nets", ICML 2017.
#pragma once

#include <string>

#include "nn/graph.h"

namespace topograd {

struct RescaledNetwork {
  Tensor theta, running_stats;
  int before_batchnorm = 0;   ///< layers whose BatchNorm took the factor back
  int pairs = 0;              ///< layers whose next layer took it back
  std::string description{};  ///< one line for a reader
};

/// Rescales weights by `factor` and leaves the network's function as it is:
///   - a convolution or linear layer that only a BatchNorm reads: its weights and bias times the
///     factor, the running mean too, and the running variance so that variance + epsilon grows by
///     its square: epsilon is taken into account, and the function is the same to rounding, with
///     frozen statistics (and, but for epsilon, with those of a batch).
///   - any other layer whose output is multiplied with its parameters (a convolution, a linear
///     layer, a normalisation's gamma and beta) and goes through positively homogeneous layers of
///     one input alone (ReLU, pools, option-A shortcuts) into one further convolution or linear
///     layer that was not rescaled: times the factor, and the next layer's weights divided by it.
///     Biases of the next layer stay. No layer takes part in two pairs.
/// The given vectors are not touched. Throws Error where nothing can be rescaled, or where a factor
/// below 1 would make a variance negative.
RescaledNetwork rescaled(const Graph& graph, const Tensor& theta, const Tensor& running_stats,
                         double factor);

}  // namespace topograd
