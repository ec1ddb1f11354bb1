// What is evaluated at the points of a landscape, and what comes of it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "landscape/directions/direction_file.h"
#include "nn/inference.h"

namespace topograd {

/// Coordinates on a plane; beta is unused on a line.
struct PlanePosition {
  double alpha = 0;
  double beta = 0;
};

/// One evaluation: a position on one of the planes.
struct EvaluationTask {
  int64_t id = 0;  ///< the source's own name for it, handed on to the sink
  PlanePosition position{};
  size_t plane = 0;
};

/// sums[set][loss] of one point.
using PointSums = std::vector<std::vector<LossSums>>;

/// Brings together the evaluations of a point on all planes.
class PlaneCollector {
 public:
  explicit PlaneCollector(size_t planes) : planes_(planes) {}
  /// All planes' sums of the task's point where this was the last of them; else nothing.
  std::vector<PointSums> add(const EvaluationTask& task, const PointSums& sums);

 private:
  struct Part {
    std::vector<PointSums> planes;
    size_t count = 0;
  };
  size_t planes_;
  std::map<int64_t, Part> parts_;  // by point
};

/// The next evaluation, or none when there are no more (it is not asked again). Calls never
/// overlap, and none overlaps one of the sink.
using TaskSource = std::function<std::optional<EvaluationTask>()>;
/// Takes a finished evaluation, in whatever order they finish.
using ResultSink = std::function<void(const EvaluationTask&, const PointSums&)>;
/// Whether to stop: asked between chunks of images.
using StopFlag = std::function<bool()>;

/// What BatchNorm normalises by at a point.
enum class PointBatchnorm {
  given,       ///< the running statistics in the states, moved where the directions have states
  recomputed,  ///< the point's own: recomputed_statistics() over the first set, in shuffled batches
  batch,       ///< those of the batch an image is in, as in training: consecutive images of a set
};

/// A network, the planes theta + alpha * x + beta * y it moves on, and what is measured there.
struct EvaluationSpec {
  const Graph& graph;
  Tensor theta, running_stats;
  std::span<const Directions> planes;
  /// Evaluated in one pass, each with its own sums (training and test images, say).
  std::span<const LabelledImages> sets;
  std::vector<LossKind> losses{LossKind::cross_entropy};
  /// Of weights, values and sums. f64, with the `given` statistics and on the CPU alone, is the
  /// reference rows: to hold a few points of a surface against, at a thousandth of f32's speed.
  DType dtype = DType::f32;
  /// Of the products, with the `given` statistics; other evaluations are in f32.
  Precision precision = Precision::f32;
  /// Above 0: a point takes no more images of a set once the standard error of their mean first
  /// loss is at most this (see ImageStages). 0: all images.
  double target_se = 0;
  PointBatchnorm batchnorm = PointBatchnorm::given;
  int64_t statistics_batch = 128;  ///< images of a batch, unless `given`; none may be of one image
  /// Forced implementations, {operation or family, name}, where a worker has contexts of its own.
  std::vector<std::pair<std::string, std::string>> forced{};
};

/// Images that are evaluated together.
int64_t images_per_chunk(const EvaluationSpec& spec);

}  // namespace topograd
