#include "landscape/plots/trajectory_plots.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "kernels/core/check.h"
#include "kernels/core/format.h"
#include "kernels/core/streams.h"

namespace topograd {

FigureMarks trajectory_marks(const TrajectoryResults& results) {
  FigureMarks marks;
  for (size_t e = 0; e < results.epochs.size(); ++e) {
    marks.path.push_back({results.coordinates.x[e], results.coordinates.y[e]});
    marks.epochs.push_back(text(results.epochs[e]));
  }
  marks.origin = "end, epoch " + marks.epochs.back();
  TextReader drops(value_of(results.provenance, "rate_drops"));
  for (size_t checkpoint = 0; drops >> checkpoint;)
    if (checkpoint < marks.path.size()) marks.rate_drops.push_back(checkpoint);
  return marks;
}

std::string trajectory_note(const TrajectoryResults& results, const std::string& set) {
  const std::vector<double>& away = results.coordinates.distance;
  std::string shown =
      text("the plane holds ", decimals(100 * results.in_plane, 1), " % of the path's variance");
  if (results.random_walk.size() >= 2)
    shown += text(" (a random walk's ",
                  decimals(100 * (results.random_walk[0] + results.random_walk[1]), 1), " %)");
  shown += text("; checkpoints lie up to ",
                significant(*std::max_element(away.begin(), away.end()), 3), " off it");
  const double difference = largest_difference(results, set);
  if (!std::isfinite(difference)) return shown;
  return text(shown, ", their own losses up to ", significant(difference, 2), " from those shown");
}

TwoCurves trajectory_curves(const TrajectoryResults& results, const std::string& set) {
  const std::vector<double>& epochs = results.epochs;
  const auto errors_of = [&](const Surface& line) {
    const std::string name = set + "_loss_se";
    return line.has_plane(name) ? line.plane(name) : std::vector<double>();
  };
  const bool in_order =
      std::adjacent_find(epochs.begin(), epochs.end(), std::greater_equal<>()) == epochs.end();
  return {.x = in_order ? epochs : results.own.x(),
          .first = results.own.plane(set + "_loss"),
          .second = results.projected.plane(set + "_loss"),
          .first_errors = errors_of(results.own),
          .second_errors = errors_of(results.projected),
          .x_label = in_order ? "epoch" : "checkpoint",
          .first_name = set + " loss of the checkpoints",
          .second_name = "of their projections onto the plane"};
}

}  // namespace topograd
