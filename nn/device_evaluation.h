// Losses of many images on a device: everything stays there, one pass is one recording.
#pragma once

#include <vector>

#include "kernels/core/recording.h"
#include "nn/fused_plan.h"
#include "nn/inference.h"

namespace topograd {

/// Evaluates P networks at a time over sets of images that live on the device as bytes. Images are
/// uploaded and memory is planned once; a pass over all sets queues kernels alone, and on a GPU it
/// is one CUDA graph from the third pass on. The host fetches nothing before the caller asks for
/// it.
class DeviceEvaluation {
 public:
  /// Everything handed in must outlive the evaluation. The network's tensors and the sets may lie
  /// on any device; `context` decides where the work is done.
  DeviceEvaluation(const Graph& graph, const NetworkOnPlane& network,
                   std::span<const LabelledImages> sets, LossKind kind, int64_t points,
                   Context& context);

  /// P of the plan.
  int64_t points() const { return plan_.options().points; }

  /// sums[point][set] for `coefficients` (a, b) of any number of points. One download for all of
  /// them.
  std::vector<std::vector<LossSums>> evaluate(std::span<const std::array<double, 2>> coefficients);

  /// Logits of all images of the last set and the last point, on the device: [N, classes]; kept
  /// only if asked for before the first pass.
  void keep_logits(const Tensor& logits) { logits_ = logits; }

 private:
  void pass();

  LossKind kind_;
  Context& context_;
  NetworkOnPlane network_;
  std::vector<LabelledImages> sets_;
  FusedPlan plan_;
  Tensor coefficients_;      // f64 [P, 2], of the pass under way
  Tensor indices_;           // i32, 0 to the largest set's count
  Tensor x_;                 // a chunk of images, normalised
  Tensor losses_, correct_;  // [P, chunk], flat
  Tensor sums_;              // f64 [sets, P, 3]
  Tensor logits_;
  Recording recording_;
};

/// See evaluate() in inference.h, which calls this where the pool's device is not the CPU.
LossSums evaluate_on_device(const Graph& graph, const Tensor& theta, const Tensor& states,
                            const LabelledImages& images, LossKind kind, ThreadPool& pool,
                            const Tensor& logits);

}  // namespace topograd
