// The loss on paths between two networks: a computation that keeps what is done in a file, and
// continues it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "kernels/core/thread_pool.h"
#include "landscape/connectivity/connectivity_results.h"
#include "landscape/connectivity/curve_training.h"
#include "landscape/evaluation/image_selection.h"
#include "landscape/results/observer.h"

namespace topograd {

struct ConnectivitySettings {
  int64_t points = 21;  ///< number on each path, the ends among them
  /// Statistics of BatchNorm on lines: "states", interpolated as the weights are; "recompute",
  /// re-estimated at every point.
  std::vector<std::string> batchnorm = {"states", "recompute"};
  int64_t statistics_batch = 128;  ///< images of a batch, to re-estimate
  bool align = false;              ///< adds paths to the aligned B, where the curve then leads
  std::string aligned_path{};      ///< checkpoint for the aligned B; where not empty, B is aligned
  std::optional<CurveTrainingSettings> curve{};  ///< trains a curve, too
  std::string control_path{};                    ///< checkpoint of its control point
  uint64_t seed = 1;                             ///< seed of the alignment's orders
  Loss loss{};
  std::vector<std::pair<std::string, std::string>> forced{};  ///< see EvaluationSpec::forced

  bool aligns() const { return align || !aligned_path.empty(); }
};

/// Throws Error where the settings make no sense.
void check(const ConnectivitySettings& settings);

/// Computes what the file at `output` lacks of the paths from a to b, over the image sets, and
/// saves as points are done. `run` says how this was asked for (describe_run). Throws Error where
/// no path joins the networks, where two files would have one name, or where the file belongs to
/// another computation; Interrupted where the observer asks to stop.
ConnectivityResults analyse_connectivity(const ConnectivitySettings& settings, const LoadedModel& a,
                                         const LoadedModel& b, const ImageSets& images,
                                         const Provenance& run, const std::string& output,
                                         ThreadPool& pool, Observer& observer);

/// Evaluations of points of paths that analyse_connectivity() has ahead, and its curve's training.
struct ConnectivityAhead {
  int64_t points = 0;             ///< with BatchNorm's statistics interpolated, or without any
  int64_t recomputed_points = 0;  ///< with statistics that are re-estimated
  int64_t done = 0;               ///< points of the file
  int64_t steps = 0;              ///< steps of the curve's training
  int64_t curve_images = 0;       ///< images that it is trained on
  std::function<void()> step;     ///< takes a step of it, of which nothing is kept; empty: no curve
};

/// Returns what it would compute: what the file at `output` lacks. Aligns nothing, so whether a file
/// of the curve is one to the aligned network is left open. Throws Error as it does, and writes
/// nothing. Everything passed must outlive the step.
ConnectivityAhead connectivity_ahead(const ConnectivitySettings& settings, const LoadedModel& a,
                                     const LoadedModel& b, const ImageSets& images,
                                     const Provenance& run, const std::string& output,
                                     ThreadPool& pool, Observer& observer);

}  // namespace topograd
