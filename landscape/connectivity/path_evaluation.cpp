#include "landscape/connectivity/path_evaluation.h"

#include <algorithm>
#include <optional>

#include "kernels/core/check.h"
#include "landscape/directions/direction.h"
#include "landscape/evaluation/evaluator.h"

namespace topograd {

namespace {

PointBatchnorm batchnorm_of(const std::string& statistics) {
  return statistics == "recompute" ? PointBatchnorm::recomputed : PointBatchnorm::given;
}

}  // namespace

NetworkPath line_between(const ModelState& from, const Tensor& theta, const Tensor& running_stats,
                         const std::string& statistics) {
  const Direction to_the_end =
      statistics == "states" ? difference(from.theta, theta, from.running_stats, running_stats)
                             : difference(from.theta, theta);
  return {{to_the_end, {}}, [](double t) { return PlanePosition{t, 0}; }, batchnorm_of(statistics)};
}

NetworkPath path_of(const ModeCurve& curve, const std::string& statistics) {
  return {curve_plane(curve), curve_position, batchnorm_of(statistics)};
}

bool evaluate_path(PathValues& values, const std::vector<double>& t, const NetworkPath& path,
                   const PathEvaluationSpec& spec, const std::string& stage, ThreadPool& pool,
                   Observer& observer, const std::function<void()>& changed) {
  const std::vector<Directions> planes = {path.plane};
  Evaluator evaluator({.graph = spec.graph,
                       .theta = spec.from.theta,
                       .running_stats = spec.from.running_stats,
                       .planes = planes,
                       .sets = spec.images.sets,
                       .losses = {spec.loss},
                       .batchnorm = path.batchnorm,
                       .statistics_batch = spec.statistics_batch,
                       .forced = spec.forced},
                      pool);
  const auto points = static_cast<int64_t>(t.size());
  int64_t next = 0, done = std::count(values.done.begin(), values.done.end(), 1);
  const Stage here(observer, stage, points, done);
  return evaluator.run(
      [&]() -> std::optional<EvaluationTask> {
        while (next < points && values.done[static_cast<size_t>(next)]) ++next;
        if (next == points) return std::nullopt;
        const int64_t point = next++;
        return EvaluationTask{point, path.position(t[static_cast<size_t>(point)]), 0};
      },
      [&](const EvaluationTask& task, const PointSums& sums) {
        values.enter(static_cast<size_t>(task.id), spec.images, sums);
        ++done;
        observer.advance(done, [&] { return text(done, "/", points, " points"); });
        changed();
      },
      [&] { return observer.stop_requested(); });
}

}  // namespace topograd
