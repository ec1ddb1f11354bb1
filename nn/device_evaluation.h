// DeviceEvaluation: losses of many images on a device, where everything stays; one pass is one
// recording.
#pragma once

#include <vector>

#include "kernels/core/recording.h"
#include "nn/fused_plan.h"
#include "nn/inference.h"

namespace topograd {

/// Settings of an evaluation, beside the network and the images.
struct DeviceEvaluationOptions {
  std::vector<Loss> losses{Loss()};
  int64_t points = 1;  ///< P networks at a time
  Precision precision = Precision::f32;
  /// Images [0, e0), [e0, e1), ... of every set are a stage each, as far as the set has them; the
  /// last stage must reach all of them. Empty: one stage.
  std::vector<int64_t> stage_ends{};
};

/// Evaluates P networks at a time over sets of images that live on the device as bytes. Images are
/// uploaded and memory is planned once; a pass over a stage of all sets queues kernels alone, and
/// on a GPU it is one CUDA graph from the third pass on. The host fetches nothing before the caller
/// asks for it.
class DeviceEvaluation {
 public:
  /// Prepares an evaluation, which everything handed in must outlive. The network's tensors and the
  /// sets may lie on any device; `context` decides where the work is done.
  DeviceEvaluation(const Graph& graph, const NetworkOnPlane& network,
                   std::span<const LabelledImages> sets, const DeviceEvaluationOptions& options,
                   Context& context);

  /// Number of networks evaluated at a time, P.
  int64_t points() const { return plan_.options().points; }

  /// Moves the network to another plane, whose directions must be defined where those of the first
  /// were.
  void move_to(const NetworkOnPlane& plane);

  /// Returns sums[point][set][loss] of one stage for `coefficients` (a, b) of any number of points,
  /// in one download.
  std::vector<std::vector<std::vector<LossSums>>> evaluate(
      std::span<const std::array<double, 2>> coefficients, size_t stage = 0);

  /// Makes every pass write the logits of all images of the last set at the last point to `logits`,
  /// [N, classes] on the device. To be called before the first pass.
  void keep_logits(const Tensor& logits) { logits_ = logits; }

 private:
  void pass(size_t stage);
  void evaluate_images(size_t set, int64_t begin, int64_t end, Write write);
  /// The images [first, second) of a set that a stage evaluates.
  std::pair<int64_t, int64_t> range(size_t stage, size_t set) const;

  std::vector<Loss> losses_;
  std::vector<int64_t> stage_ends_;
  Context& context_;
  NetworkOnPlane network_;
  std::vector<LabelledImages> sets_;
  FusedPlan plan_;
  Tensor coefficients_;            // f64 [P, 2], of the pass under way
  Tensor indices_;                 // i32, 0 to the largest set's count
  Tensor x_;                       // a chunk of images, normalised
  Tensor image_losses_, correct_;  // [P, chunk], flat
  Tensor sums_;                    // f64 [sets, losses, P, 3]
  Tensor logits_;
  std::vector<Recording> recordings_;  // per stage
};

/// Does the work of evaluate() (inference.h) where the pool's device is not the CPU.
LossSums evaluate_on_device(const Graph& graph, const Tensor& theta, const Tensor& running_stats,
                            const LabelledImages& images, const Loss& loss, ThreadPool& pool,
                            const Tensor& logits);

}  // namespace topograd
