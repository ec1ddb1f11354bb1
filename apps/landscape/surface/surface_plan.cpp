#include "apps/landscape/surface/surface_plan.h"

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "kernels/core/format.h"
#include "kernels/core/output_claim.h"
#include "landscape/results/result_names.h"
#include "landscape/surface/surface.h"
#include "nn/inference.h"

namespace topograd {

namespace {

using Clock = std::chrono::steady_clock;

/// Returns the images that are evaluated in a second, with all threads.
double images_per_second(const SurfaceInputs& inputs, bool thoroughly) {
  const LabelledImages& images = inputs.images.sets.front();
  const ModelState& weights = inputs.model.weights;
  int64_t count = std::min<int64_t>(images.count(), 16 * inputs.pool->threads());
  const Clock::time_point begin = Clock::now();
  const auto seconds_since = [](Clock::time_point start) {
    return std::max(std::chrono::duration<double>(Clock::now() - start).count(), 1e-9);
  };
  double best = 0;
  // The first call has caches to fill, and others may be at work: the fastest one counts.
  for (int repeat = 0; repeat < 2 || (thoroughly && seconds_since(begin) < 1); ++repeat) {
    const Clock::time_point start = Clock::now();
    evaluate(inputs.model.graph, weights.theta, weights.running_stats, images.first(count),
             inputs.settings.losses.front(), *inputs.pool);
    best = std::max(best, static_cast<double>(count) / seconds_since(start));
    if (seconds_since(start) < 0.05) count = std::min(images.count(), 4 * count);
  }
  return best;
}

/// Returns how often an image is evaluated at a point: BatchNorm's statistics take another pass.
double passes(const SurfaceBatchnorm& batchnorm) {
  return batchnorm.at_points == PointBatchnorm::recomputed ? 2 : 1;
}

}  // namespace

int64_t points_in_file(const std::string& output) {
  if (!std::filesystem::exists(output)) return 0;
  const OwnOutputScope own;
  return Surface::load(output).done_count();
}

SurfacePlan plan_of(const SurfaceInputs& inputs, const SurfaceDirections& directions, int processes,
                    int64_t done, bool thoroughly) {
  const SurfaceSettings& settings = inputs.settings;
  const Axis& x = settings.x ? *settings.x : directions.x_axis;
  const Axis& y = settings.y ? *settings.y : directions.y_axis;
  const bool is_line = directions.is_line();
  const int64_t points = x.points * (is_line ? 1 : y.points);
  int64_t images = 0;
  for (size_t i = 0; i < inputs.images.sets.size(); ++i) images += inputs.images.sets[i].count();
  const auto planes = static_cast<int64_t>(std::max<size_t>(directions.planes.size(), 1));
  const double evaluations = static_cast<double>(std::max<int64_t>(points - done, 0)) *
                             static_cast<double>(planes * images) * passes(settings.batchnorm);
  SurfacePlan plan;
  plan.seconds = evaluations / images_per_second(inputs, thoroughly) / processes;
  std::string size = text(x.points);
  if (!is_line) size += text("x", y.points);
  plan.words = text(settings.output, ": ", size, " points around ", network_name(inputs.model.path),
                    ", ", describe(inputs.model.spec), done > 0 ? text(", ", done, " done") : "",
                    planes > 1 ? text(", ", planes, " seeds") : "", ", each over ",
                    settings.target_se > 0 ? "up to " : "", images, " ", inputs.images.description,
                    " images; about ", clock_text(plan.seconds), " with ", inputs.pool->threads(),
                    inputs.pool->threads() == 1 ? " thread" : " threads",
                    processes > 1 ? text(" in each of ", processes, " processes") : "");
  return plan;
}

}  // namespace topograd
