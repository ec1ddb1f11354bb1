// Losses of the networks along a path.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "kernels/core/thread_pool.h"
#include "landscape/connectivity/connectivity_results.h"
#include "landscape/connectivity/mode_curve.h"
#include "landscape/evaluation/image_selection.h"
#include "landscape/results/observer.h"

namespace topograd {

/// Networks along a path: positions on a plane through the network it begins at.
struct NetworkPath {
  Directions plane;
  std::function<PlanePosition(double t)> position;  ///< t from 0 to 1
  /// BatchNorm's statistics; `recomputed`: they are re-estimated at every point.
  PointBatchnorm batchnorm = PointBatchnorm::given;
};

/// Returns the straight line from a network to another one. `statistics` is how files name those of
/// BatchNorm on it: "states", interpolated as the weights are, "recompute", or "none".
NetworkPath line_between(const ModelState& from, const Tensor& theta, const Tensor& running_stats,
                         const std::string& statistics);
/// Returns a trained curve, whose statistics are "recompute" (its networks have none but their own)
/// or "none".
NetworkPath path_of(const ModeCurve& curve, const std::string& statistics);

/// Evaluation at every point of a path.
struct PathEvaluationSpec {
  const Graph& graph;
  const ModelState& from;  ///< the network that paths begin at
  const ImageSets& images;
  Loss loss{};
  int64_t statistics_batch = 128;  ///< images of a batch, where statistics are re-estimated
  std::vector<std::pair<std::string, std::string>> forced{};  ///< see EvaluationSpec::forced
};

/// Fills in the points of a path, at these t, that are not done, as a stage of this name; calls
/// `changed` after each. Returns false where the observer asked to stop.
bool evaluate_path(PathValues& values, const std::vector<double>& t, const NetworkPath& path,
                   const PathEvaluationSpec& spec, const std::string& stage, ThreadPool& pool,
                   Observer& observer, const std::function<void()>& changed);

}  // namespace topograd
