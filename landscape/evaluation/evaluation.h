// Evaluations of a loss landscape: their inputs, tasks and sums.
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
  int64_t id = 0;  ///< chosen by the source, handed on to the sink
  PlanePosition position{};
  size_t plane = 0;
};

/// Loss sums of one point, [set][loss].
using PointSums = std::vector<std::vector<LossSums>>;

/// Collects the evaluations of a point on all planes.
class PlaneCollector {
 public:
  explicit PlaneCollector(size_t planes) : planes_(planes) {}
  /// Returns the sums of the task's point on all planes if this was the last of them; else an
  /// empty list.
  std::vector<PointSums> add(const EvaluationTask& task, const PointSums& sums);

 private:
  struct Part {
    std::vector<PointSums> planes;
    size_t count = 0;
  };
  size_t planes_;
  std::map<int64_t, Part> parts_;  // keys: EvaluationTask::id
};

/// Returns the next evaluation, or nullopt when there are no more (it is not called again). Calls
/// of source and sink never overlap.
using TaskSource = std::function<std::optional<EvaluationTask>()>;
/// Takes a finished evaluation; evaluations finish in any order.
using ResultSink = std::function<void(const EvaluationTask&, const PointSums&)>;
/// Returns whether to stop; called between chunks of images.
using StopFlag = std::function<bool()>;

/// Statistics that BatchNorm normalises by at a point.
enum class PointBatchnorm {
  given,       ///< running statistics in the states, moved if the directions have states
  recomputed,  ///< recomputed_statistics() at the point over the first set, in shuffled batches
  batch,       ///< statistics of each batch of consecutive images of a set, as in training
};

/// Images that a point is evaluated on before its standard error is looked at (ImageStages).
constexpr int64_t kFirstStage = 2048;

/// A network, the planes theta + alpha * x + beta * y it moves on, and the images and losses
/// evaluated there.
struct EvaluationSpec {
  const Graph& graph;
  Tensor theta, running_stats;
  std::span<const Directions> planes;
  /// Image sets evaluated in one pass, each with its own sums (training and test images, say).
  std::span<const LabelledImages> sets;
  std::vector<Loss> losses{Loss()};
  /// Type of weights, values and sums. f64 runs the reference kernels, with the `given`
  /// statistics and on the CPU only, to check a few points of a surface: a thousand times slower
  /// than f32.
  DType dtype = DType::f32;
  /// Precision of the products with the `given` statistics; other evaluations are in f32.
  Precision precision = Precision::f32;
  /// Number of images that each set was chosen from and stands for (LossSums::standard_error);
  /// empty: all of their kind.
  std::vector<int64_t> populations{};
  /// Standard error of a set's mean first loss at which a point takes no more of its images (see
  /// ImageStages); 0: a point takes all images.
  double target_se = 0;
  int64_t first_stage = kFirstStage;  ///< images of ImageStages' first stage; tests take fewer
  PointBatchnorm batchnorm = PointBatchnorm::given;
  int64_t statistics_batch = 128;  ///< images per batch, unless `given`; no batch may be of one
  /// Forced implementations, {operation or family, name}, for workers with their own contexts.
  std::vector<std::pair<std::string, std::string>> forced{};
};

/// Returns the number of images that are evaluated together.
int64_t images_per_chunk(const EvaluationSpec& spec);

}  // namespace topograd
