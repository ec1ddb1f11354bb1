#include "apps/landscape/surface/surface_plan.h"

#include <algorithm>

#include "apps/landscape/common/network_pace.h"
#include "kernels/core/format.h"
#include "landscape/results/result_names.h"

namespace topograd {

namespace {

constexpr double kVeryLong = 600;  // seconds, beyond which what makes it shorter is said

}  // namespace

cli::RunPlan surface_plan(const SurfaceInputs& inputs, const SurfaceDirections& directions,
                          int64_t points_to_do, int64_t points_before, int processes,
                          cli::Measurement measurement) {
  const SurfaceSettings& settings = inputs.settings;
  const Axis& x = settings.x ? *settings.x : directions.x_axis;
  const Axis& y = settings.y ? *settings.y : directions.y_axis;
  const int64_t points = x.points * (directions.is_line() ? 1 : y.points);
  int64_t images = 0;
  for (const LabelledImages& set : inputs.images.sets) images += set.count();
  const size_t planes = directions.planes.size();
  const double evaluations =
      (static_cast<double>(points_to_do * std::ssize(directions.planes)) / processes +
       static_cast<double>(points_before)) *
      static_cast<double>(images);
  const EvaluationSpec spec = settings.spec(inputs.model, inputs.images, directions.planes);
  const double seconds =
      evaluations == 0 ? 0 : evaluations * seconds_per_evaluation(spec, *inputs.pool, measurement);
  const std::string bound = settings.target_se > 0 ? "less where fewer images meet --target-se"
                            : seconds > kVeryLong
                                ? "in proportion to points (--x, --y) and to images (--images)"
                                : "";
  return {.output = settings.output,
          .what = text(x.points, directions.is_line() ? "" : text("x", y.points), " points around ",
                       network_in_words(inputs.model),
                       points_to_do < points ? text(", ", points - points_to_do, " done") : "",
                       planes > 1 ? text(", ", planes, " seeds") : "", ", each over ",
                       settings.target_se > 0 ? "up to " : "", images, " ",
                       inputs.images.description, " images"),
          .seconds = seconds,
          .bound = bound};
}

}  // namespace topograd
