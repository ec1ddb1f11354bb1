// NetworkPlan: which activations a training step keeps, and which it recomputes (activation
// checkpointing).
#pragma once

#include <vector>

#include "nn/graph.h"

namespace topograd {

/// Memory that holds a node's value, or the gradient of it.
struct BufferSlot {
  enum class Kind {
    none,
    batch,    ///< for all images of the batch: buffer number `index`
    scratch,  ///< for one chunk, in memory of the thread that works on it, from `index` numbers an
              ///< image on
  };
  Kind kind = Kind::none;
  int64_t index = 0;
};

/// A step's work is cut at every BatchNorm, where the images of a batch meet: phase 0 ends before
/// the first, phase p begins with the p-th. Within a phase a chunk of images passes through all
/// layers while it is in the cache.
///
/// Only what another phase reads stays for the whole batch: what BatchNorms normalise, and the
/// values that skip connections carry past one. Everything else lives in a thread's scratch memory,
/// and the backward pass recomputes it from what stayed: activation checkpointing (T. Chen et al.,
/// "Training Deep Nets with Sublinear Memory Cost", 2016). Since a convolution's output is what the
/// next BatchNorm normalises, what is recomputed is BatchNorm's formula, the activation, an
/// addition or a pool, but never a convolution that BatchNorm follows. A quarter of a VGG's
/// numbers per image remains, three quarters of a ResNet's.
///
/// The backward pass goes through the phases from last to first. The gradient of a BatchNorm's
/// input needs sums over the whole batch, so it is formed at the beginning of the phase before.
class NetworkPlan {
 public:
  explicit NetworkPlan(const Graph& graph);

  struct Phase {
    int begin, end;         ///< nodes [begin, end)
    bool begins_with_norm;  ///< all but phase 0
  };
  const std::vector<Phase>& phases() const { return phases_; }

  BufferSlot value(int node) const { return values_[at(node)]; }
  BufferSlot gradient(int node) const { return gradients_[at(node)]; }
  /// Whether the backward pass of the node's phase recomputes the value.
  bool recomputed(int node) const { return recomputed_[at(node)]; }
  /// Whether the node is a BatchNorm that computes the ReLU behind it too, in one pass.
  bool fuses_relu(int node) const { return fuses_relu_[at(node)]; }
  /// Whether the node is a ReLU that the BatchNorm before it computes, with nothing left to do.
  bool fused_into_batchnorm(int node) const { return fused_into_batchnorm_[at(node)]; }
  /// Per input of a node, whether its gradient overwrites memory or adds to it.
  const std::vector<Write>& writes(int node) const { return writes_[at(node)]; }

  /// Whether a later node reads the same parameters, whose gradients this node's add to.
  bool adds_to_parameters(int node) const { return adds_to_parameters_[at(node)]; }

  /// Elements per image of each buffer for the batch: values and gradients.
  const std::vector<int64_t>& batch_buffers() const { return batch_buffers_; }
  /// Elements per image of a thread's scratch memory.
  int64_t scratch() const { return scratch_values_ + scratch_gradients_; }

 private:
  static size_t at(int64_t i) { return static_cast<size_t>(i); }
  void find_shared_parameters();
  void find_phases();
  void find_kept();
  void find_recomputed();
  void assign_values();
  void find_fused();
  void assign_gradients();
  /// Phase in whose part of the backward pass the node's gradients are formed.
  int backward_phase(int node) const;
  bool overwrites_input(int node) const;

  const Graph& graph_;
  std::vector<int> readers_;
  std::vector<Phase> phases_;
  std::vector<int> phase_of_;
  std::vector<bool> kept_, recomputed_, fuses_relu_, fused_into_batchnorm_, adds_to_parameters_;
  std::vector<BufferSlot> values_, gradients_;
  std::vector<std::vector<Write>> writes_;
  std::vector<int64_t> batch_buffers_;
  int64_t scratch_values_ = 0;
  int64_t scratch_gradients_ = 0;
};

}  // namespace topograd
