// FusedPlan: inference of several networks at once, in few and large operations.
#pragma once

#include <array>
#include <vector>

#include "kernels/fused_conv/fused_conv.h"
#include "kernels/planar_conv/planar_images.h"
#include "kernels/scale_shift/scale_shift.h"
#include "kernels/tile_conv/tiled_images.h"
#include "nn/fused_steps.h"

namespace topograd {

/// A network and the plane it moves on: theta + a delta + b eta, and running statistics + a
/// states_delta + b states_eta. An undefined direction leaves its term out.
struct NetworkOnPlane {
  Tensor theta, running_stats;
  Tensor delta{}, eta{};
  Tensor states_delta{}, states_eta{};
};

struct FusedPlanOptions {
  int64_t images = 1;  ///< images that memory is allocated for
  int64_t points = 1;  ///< P networks side by side
  Device device = Device::cpu;
  DType dtype = DType::f32;
  Precision precision = Precision::f32;
  ErrorBudget error_budget = ErrorBudget::tight;
};

/// A graph compiled for inference on running statistics (see fused_steps.h). All memory is
/// allocated at construction: a value's memory is used again after its last reader.
///
/// On a CPU the steps of one network are run in segments, each for as many images at a time as its
/// values fit the cache: a few through a network's wide first layers, all through its last, whose
/// filters are large; what is small between two large steps (squeeze and excitation) goes with
/// these. A BatchNorm before a 1x1 convolution (DenseNet) is applied to a strip of pixels just
/// before these are convolved. In bf16 or bf16x3 its convolutions work on tiled images (tile_conv).
/// Processors without a tile unit emulate it, too slowly for anything but tests.
///
/// On a GPU one network, too, is run in segments, whose values stay in the second-level cache. In
/// reduced precision (bf16; else as bf16x3) its activations are planar images of bf16
/// (planar_conv), where all of its convolutions fit these; else f32.
///
/// form_weights() and run() queue operations on a context of the plan's device and touch nothing
/// else: they can be recorded (see Recording).
class FusedPlan {
 public:
  /// Compiles a graph, which must outlive the plan.
  FusedPlan(const Graph& graph, const FusedPlanOptions& options);

  /// Forms the weights of P points, whose (a, b) `coefficients`, f64 [P, 2], hold. All tensors lie
  /// on the plan's device.
  void form_weights(const NetworkOnPlane& network, const Tensor& coefficients, Context& context);

  /// Returns logits [P, n, classes] of x [n, H, W, C], n <= images, the same images for every
  /// network; valid until the next run.
  Tensor run(const Tensor& x, Context& context);

  const FusedPlanOptions& options() const { return options_; }
  /// Number of operations of one run.
  int64_t step_count() const { return static_cast<int64_t>(program_.steps.size()); }
  /// Number of segments: between two of them values of all images are kept.
  int64_t segment_count() const { return static_cast<int64_t>(segments_.size()); }
  /// Whether activations are planar images of bf16.
  bool is_planar() const { return planar_parts_ > 0; }

 private:
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

  /// Memory of one value; exactly one member is set.
  struct Memory {
    Tensor plain;  // flat
    TiledImages tiled;
    PlanarImages planar;
  };
  using Layout = std::array<int64_t, 5>;

  /// Pixels of a strip: with 1024 channels, an eighth of the second-level cache.
  static constexpr int64_t kStrip = 64;

  void choose_format();
  void find_strips();
  void find_segments();
  void allocate();
  Layout layout_of(int value, int64_t images) const;
  Memory new_memory(int value, int64_t images) const;
  int node_of(int value) const { return value % static_cast<int>(graph_.nodes().size()); }
  bool is_packed(int value) const { return node_of(value) != value; }
  int64_t bytes_of_number(int value) const;
  const Shape& shape_of(int value) const;
  /// Shape of one image in memory, with the padding between its pixels.
  Shape image_of(int value) const;
  /// The value in whose memory this one lies: itself, or a concatenation that it is a part of.
  int storage_of(int value) const { return program_.storage_of[static_cast<size_t>(value)]; }
  std::vector<int64_t> images_of_steps() const;
  void join_small_steps(std::vector<int64_t>& images) const;
  /// Elements in memory of that many images.
  int64_t numbers(int value, int64_t images) const;
  int64_t images_at_once(size_t step) const;
  int64_t images_side_by_side(int value) const;
  int overwritable_input(const FusedStep& step) const;
  /// Rows of a plain value for n images: n where it is the same at every point, else P * n.
  int64_t rows(int value, int64_t n) const;
  Tensor plain(int value, const Batch& batch) const;
  TiledImages tiled(int value, const Batch& batch) const;
  PlanarImages planar(int value, const Batch& batch) const;
  FusedConvArgs arguments(const FusedConvStep& conv, const Tensor& y, const Tensor& x,
                          const Tensor& residual) const;
  ScaleShiftArgs arguments(const FusedScaleShiftStep& norm, const Tensor& y, const Tensor& x) const;
  void run_strips(size_t step, const Batch& batch, Context& context);
  void run_tile_conv(const FusedConvStep& conv, const FusedStep& step, const Batch& batch,
                     Context& context);
  void run_planar_conv(const FusedConvStep& conv, const FusedStep& step, const Batch& batch,
                       Context& context);
  void run_step(const FusedConvStep& conv, const FusedStep& step, const Batch& batch,
                Context& context);
  void run_step(const FusedScaleShiftStep& norm, const FusedStep& step, const Batch& batch,
                Context& context);
  void run_step(const FusedConcatStep& concat, const FusedStep& step, const Batch& batch,
                Context& context);
  void run_step(const FusedLayerStep& layer, const FusedStep& step, const Batch& batch,
                Context& context);
  void run_step(const FusedPackStep& pack, const FusedStep& step, const Batch& batch,
                Context& context);
  void run_step(const FusedUnpackStep& unpack, const FusedStep& step, const Batch& batch,
                Context& context);

  const Graph& graph_;
  FusedPlanOptions options_;
  FusedProgram program_;
  std::vector<bool> strips_;  // per step: it and the next go through an image strip by strip
  std::vector<bool>
      strip_mined_;  // per value: made and read in strips, so memory for one is enough
  std::vector<Segment> segments_;
  std::vector<bool> spans_segments_;  // per value: read in a later segment, so kept for all images
  std::vector<Memory> memory_;        // per value
  Tensor filters_;                    // table of FoldedFilter
  Tensor weights_, biases_;
  int planar_parts_ = 0;              // of planar images; 0: the plan has none
  Tensor packed_layers_, fragments_;  // table of PackedLayer, and what pack_fragments makes of it
  uint64_t weights_version_ = 0;
};

}  // namespace topograd
