// Network: the loss, its gradient and its curvature as functions of the flat vector theta.
#pragma once

#include <optional>

#include "kernels/core/recording.h"
#include "kernels/core/thread_pool.h"
#include "kernels/loss/loss.h"
#include "nn/network_plan.h"

namespace topograd {

/// Statistics that BatchNorm normalises by.
enum class BatchnormMode {
  frozen,  ///< the running statistics: every image on its own, as in inference
  batch,   ///< the batch's own statistics, as in training
};

struct NetworkOptions {
  DType dtype = DType::f32;  ///< f64 runs on the references alone: for tests
  /// Work is cut into chunks of this many images. The chunks, not the threads, decide how sums are
  /// rounded. 16 images of a CIFAR ResNet's layer fill about half of a 2 MiB L2 cache. A device
  /// other than the CPU takes each batch as one chunk.
  int64_t images_per_chunk = 16;
  ErrorBudget error_budget = ErrorBudget::tight;  ///< training sets relaxed
  /// Precision of the operands of convolutions and linear layers; everything between them is
  /// dtype's. The CPU computes in f32 whatever is asked.
  Precision precision = Precision::f32;
  bool curvature = false;  ///< memory for curvature_product(): twice as much
};

/// Matrix that curvature_product() multiplies by.
enum class Curvature {
  hessian,       ///< the Hessian of the mean loss, d2/dtheta2
  gauss_newton,  ///< J^T H J, J the logits' Jacobian and H the loss's Hessian in them, of which the
                 ///< squared error keeps the part that is never negative (LossCurvatureArgs)
};

/// What a training step draws its random numbers from.
struct StepNoise {
  uint64_t seed = 0;  ///< the training's
  int64_t step = 0;   ///< steps done before it
};

/// Mean loss and number of correct predictions of a batch.
struct BatchResult {
  double loss = 0;
  int64_t correct = 0;
};

/// Runs a graph over whole batches, however large: BatchNorm's statistics are those of all images.
///
/// Between two BatchNorms every image goes its own way, so the work between them is one phase: a
/// chunk of images passes through all of the phase's layers while it is in the cache, and threads
/// meet only where a batch statistic has to be complete. NetworkPlan decides what is kept for the
/// backward pass and what is recomputed in it (activation checkpointing). Results are the same to
/// the bit for any number of threads. All tensors handed in must lie on the pool's device.
///
/// Dropout happens where a StepNoise is handed in, which Trainer does at every step, and nowhere
/// else. BatchnormMode has no part in it: gradients and curvature in `batch` mode, and statistics
/// computed again for averaged weights, are of the network that inference runs, whose dropouts are
/// the identity. (PyTorch's one switch, train(), turns on both; its update_bn averages statistics
/// under dropout.) In a training step the statistics that a BatchNorm behind a dropout normalises
/// by, and moves its running ones towards, are those of the values with their zeros, as in PyTorch.
class Network {
 public:
  /// Allocates memory for batches of up to max_batch images, once. The graph and the pool must
  /// outlive the network.
  Network(const Graph& graph, int64_t max_batch, ThreadPool& pool, NetworkOptions options = {});

  /// Returns the mean loss over the batch x [N, H, W, C] with labels i32 [N]. In batch mode the
  /// running statistics move towards the batch's, unless `keep_running_stats`.
  BatchResult loss(const Tensor& x, const Tensor& labels, const Tensor& theta,
                   const Tensor& running_stats, BatchnormMode mode,
                   const Loss& loss = LossKind::cross_entropy, bool keep_running_stats = false,
                   const std::optional<StepNoise>& noise = {});

  /// Does what loss() does, and writes gradient = d(mean loss)/d(theta). With a `recording` a GPU
  /// does it in one launch from the third call on: all calls with it must hand in the same tensors,
  /// a loss that lies on the device, and no noise that a layer uses.
  BatchResult loss_and_gradient(const Tensor& gradient, const Tensor& x, const Tensor& labels,
                                const Tensor& theta, const Tensor& running_stats,
                                BatchnormMode mode, const Loss& loss = LossKind::cross_entropy,
                                bool keep_running_stats = false,
                                const std::optional<StepNoise>& noise = {},
                                Recording* recording = nullptr);

  /// Writes product = (d2 mean loss / d theta2) v, exact to rounding, in about the time of two
  /// gradients: Pearlmutter's R-operator (Layer::forward_tangent). `batch` mode differentiates
  /// through the batch's statistics, and leaves the running statistics alone. Throws Error for
  /// networks made without `curvature`.
  BatchResult curvature_product(const Tensor& product, const Tensor& v, const Tensor& x,
                                const Tensor& labels, const Tensor& theta,
                                const Tensor& running_stats, BatchnormMode mode,
                                const Loss& loss = LossKind::cross_entropy,
                                Curvature curvature = Curvature::hessian);

  /// Bytes that the network of this graph allocates for a batch and a number of threads.
  static int64_t bytes_needed(const Graph& graph, int64_t batch, int threads,
                              const NetworkOptions& options = {});

  const Graph& graph() const { return graph_; }
  Device device() const { return pool_.device(); }
  /// The logits of the last batch, [N, classes].
  Tensor logits() const {
    return in_slot(plan_.value(graph_.output()), graph_.output(), {0, 0, batch_}, 0);
  }

 private:
  struct Chunk {
    int64_t index, begin, end;
  };
  class Pass;             // network_pass.h: what happens at each node, forward and backward
  class GaussNewtonPass;  // the same with tangents forward
  class HessianPass;      // the same with tangents forward and backward
  /// Derivatives along a direction of theta, in memory of their own beside the values'.
  struct Tangents {
    std::vector<Tensor> buffers, scratch, temporary;  // the latter two per worker
    Tensor still;                                     // zeros: the tangent of a chunk of images
    Tensor norm_partials;                             // the product's, like Network's
    // Sums of every BatchNorm over the batch, laid out as Network::norm_totals_ is: of x' xhat and
    // of x'; the product's.
    Tensor sums, totals;
    std::vector<std::vector<Tensor>> parameter_views, sum_views;  // per node, of the direction
    uint64_t version = 0;
  };
  void begin_batch(const Tensor& x, const Tensor& labels, const Tensor& theta,
                   const Tensor& running_stats, BatchnormMode mode,
                   const std::optional<StepNoise>& noise);
  void forward_pass(const Pass& pass, const Tensor& running_stats, bool keep_running_stats);
  void backward_pass(const Pass& pass);
  void forward_nodes(const Pass& pass, int begin, int end, const Chunk& chunk, Context& context);
  void forward_node(const Pass& pass, int index, const Chunk& chunk, Context& context);
  void recompute(const Pass& pass, int phase, const Chunk& chunk, Context& context);
  void loss_of(const Pass& pass, const Chunk& chunk, Context& context);
  void backward_phase(const Pass& pass, int phase, const Chunk& chunk, Context& context);
  void backward_node(const Pass& pass, int index, bool sums_only, const Chunk& chunk,
                     Context& context);
  /// Lets the backward pass write this gradient, or its shares; `of_values`: the loss's, not a
  /// product's, for which BatchNorms need sums of both.
  void begin_gradient(const Tensor& gradient, bool of_values);
  void sum_partial_gradients(const Pass& pass, int64_t parameter, Context& context);
  /// Writes target = the sum over the chunks of a BatchNorm's partial sums.
  void sum_norm_partials(const Tensor& target, const Tensor& partials, int64_t state,
                         Context& context);
  void sum_norm_partials(const Tensor& totals, const Tensor& partials, const Node& norm,
                         Context& context);
  void allocate_tangents();
  Tensor tangent(BufferSlot slot, int node, const Chunk& chunk, const Context& context) const;
  Tensor value_tangent(int node, const Chunk& chunk, const Context& context) const;
  void for_each_chunk(const std::function<void(const Chunk&, Context&)>& work);
  /// Adds up the losses on a device.
  void sum_losses();
  BatchResult result() const;
  int64_t elements_per_channel(int node, int64_t images) const;
  std::optional<LayerNoise> noise_of(int node, const Chunk& chunk) const;
  const BatchnormLayer* coupling_layer(int node) const;
  Tensor in_slot(BufferSlot slot, int node, const Chunk& chunk, int worker) const;
  Tensor value(int node, const Chunk& chunk, const Context& context) const;
  Tensor gradient_value(int node, const Chunk& chunk, const Context& context) const;
  Tensor partial_gradient(int64_t parameter, int64_t chunk) const;
  Tensor norm_partial(const Tensor& partials, int64_t state, int64_t chunk) const;

  const Graph& graph_;
  ThreadPool& pool_;
  NetworkOptions options_;
  int64_t max_batch_;

  NetworkPlan plan_;
  Tensor input_;                 // the batch
  std::vector<Tensor> buffers_;  // the plan's, for max_batch images
  std::vector<Tensor> scratch_;  // per worker, for a chunk

  Tensor batch_stats_;  // this batch's means and variances, laid out like the running statistics
  Tensor moments_;      // f64 [chunks, 2, widest layer]
  // Partial gradients of all parameters but BatchNorms': `accumulators` of each, and chunks k,
  // k + accumulators, ... add to accumulator k in turn: how sums are rounded must not depend on the
  // threads.
  Tensor partial_gradients_;
  // What the layers write to: partial_gradients_, or on a device, where a batch is one chunk, the
  // gradient itself.
  Tensor shares_;
  // Sums that a BatchNorm's gradient is formed from, whether or not it has parameters, laid out
  // like the running statistics: where its mean lies those of dy xhat, which are dgamma, where its
  // variance lies those of dy, which are dbeta. Partial sums of every chunk, [chunks, C] each, and
  // their totals over the batch.
  std::vector<int64_t> norm_states_;  // per parameter, the running statistic; -1: not a BatchNorm's
  // On a device they are one.
  Tensor norm_partials_, norm_totals_;
  bool norms_write_gradient_ = false;  // BatchNorms with parameters write dgamma, dbeta to shares_
  std::optional<Tangents> tangents_;
  Tensor losses_;   // [max_batch]
  Tensor correct_;  // i32 [max_batch]
  Tensor sums_;     // f64 [1, 3], on a device: of the losses, their squares, correct_

  // The batch being worked on.
  int64_t batch_ = 0;
  int64_t chunks_ = 0;
  int64_t accumulators_ = 0;
  BatchnormMode mode_ = BatchnormMode::batch;
  uint64_t weights_version_ = 0;
  std::optional<uint64_t> noise_seed_;  // of this step
  Tensor labels_;
  std::vector<std::vector<Tensor>> parameter_views_;  // per node
  std::vector<std::vector<Tensor>> stats_views_;      // per node: what BatchNorm normalises by
};

/// Views of the parameters of every node of a graph in a flat theta.
std::vector<std::vector<Tensor>> parameter_views(const Graph& graph, const Tensor& theta);
/// Views of the running statistics of every node of a graph in their flat vector.
std::vector<std::vector<Tensor>> running_stats_views(const Graph& graph,
                                                     const Tensor& running_stats);

}  // namespace topograd
