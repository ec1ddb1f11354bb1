// Inference of several networks at once, as a device likes it: few, large operations.
#pragma once

#include <variant>
#include <vector>

#include "kernels/conv2d/conv2d.h"
#include "nn/graph.h"

namespace topograd {

/// A network and the plane it moves on: theta + a delta + b eta, and its states likewise. Undefined
/// directions do not move it.
struct NetworkOnPlane {
  Tensor theta, states;
  Tensor delta{}, eta{};
  Tensor states_delta{}, states_eta{};
};

struct FusedPlanOptions {
  int64_t images = 1;  ///< room for that many at a time
  int64_t points = 1;  ///< P networks side by side
  Device device = Device::cpu;
  DType dtype = DType::f32;
  Precision precision = Precision::f32;
  Rounding rounding = Rounding::tight;
};

/// conv2d or linear, with what it took in. Linear layers are convolutions of 1x1 images.
struct FusedConvStep {
  int residual = -1;  // a node, or none
  ConvGeometry geometry;
  Shape filters;                  // [O, KH, KW, I]
  int64_t weights = 0, bias = 0;  // where they begin, times P
  bool relu = false;
  bool flatten = false;
};
/// A BatchNorm that no convolution precedes.
struct FusedScaleShiftStep {
  int64_t scale = 0, shift = 0;  // where they begin, times P
  bool relu = false;
};
/// Any layer without parameters, as it is.
struct FusedLayerStep {};
struct FusedStep {
  std::vector<int> inputs;  // nodes; the residual last
  int output;               // node
  std::variant<FusedConvStep, FusedScaleShiftStep, FusedLayerStep> what;
};

/// A graph compiled for inference on running statistics. A convolution or linear layer takes in the
/// BatchNorm behind it, the residual addition and the ReLU behind that, each where nobody else
/// reads what is in between; a BatchNorm that no convolution precedes (DenseNet) takes in its ReLU;
/// other layers run as they are. All memory is allocated at construction: a value's memory is used
/// again after its last reader.
///
/// On a CPU the steps of one network are run in segments, each for as many images at a time as its
/// values fit the cache: a few through a network's wide first layers, all through its last, whose
/// filters are large.
///
/// form_weights() and run() queue operations on a context of the plan's device and touch nothing
/// else: they can be recorded (see Recording).
class FusedPlan {
 public:
  /// The graph must outlive the plan.
  FusedPlan(const Graph& graph, const FusedPlanOptions& options);

  /// The weights of P points; coefficients f64 [P, 2] hold their (a, b). All on the plan's device.
  void form_weights(const NetworkOnPlane& network, const Tensor& coefficients, Context& context);

  /// Logits [P, n, classes] of x [n, H, W, C], n <= images, the same images for every network;
  /// valid until the next run.
  Tensor run(const Tensor& x, Context& context);

  const FusedPlanOptions& options() const { return options_; }
  /// Operations of one run.
  int64_t step_count() const { return static_cast<int64_t>(steps_.size()); }

 private:
  class Compiler;
  /// Steps [begin, end), for up to `images` images at a time.
  struct Segment {
    size_t begin, end;
    int64_t images;
  };
  /// The images that a segment is working on: `count` of x's, from `first` on.
  struct Batch {
    const Tensor& x;
    int64_t first, count;
  };

  void find_segments();
  void allocate();
  int64_t images_at_once(const FusedStep& step) const;
  /// Elements of a node's value for one image of one network.
  int64_t size_of(int node) const { return graph_.nodes()[static_cast<size_t>(node)].shape.size(); }
  /// Rows of a node's value for n images: n where no network's weights went into it, else P * n.
  int64_t rows(int node, int64_t n) const;
  Tensor value(int node, const Batch& batch) const;
  void run_step(const FusedConvStep& conv, const FusedStep& step, const Batch& batch,
                Context& context);
  void run_step(const FusedScaleShiftStep& norm, const FusedStep& step, const Batch& batch,
                Context& context);
  void run_step(const FusedLayerStep& layer, const FusedStep& step, const Batch& batch,
                Context& context);

  const Graph& graph_;
  FusedPlanOptions options_;
  std::vector<FusedStep> steps_;
  std::vector<Segment> segments_;
  std::vector<bool> shared_;    // per node: the same for every network
  std::vector<bool> crosses_;   // per node: read in a later segment, so kept for all images
  std::vector<Tensor> values_;  // per node, flat
  Tensor filters_;              // table of FoldedFilter
  Tensor weights_, biases_;
  uint64_t weights_version_ = 0;
};

}  // namespace topograd
