#include "landscape/trajectory/checkpoint_losses.h"

#include <chrono>

#include "landscape/distributed/shared_evaluation.h"

namespace topograd {

namespace {

using Clock = std::chrono::steady_clock;

class CheckpointLosses {
 public:
  CheckpointLosses(TrajectoryResults& results, const std::string& path,
                   const SurfaceSettings& settings, const LoadedModel& last,
                   const ImageSets& images, ThreadPool& pool, Observer& observer)
      : results_(results),
        path_(path),
        settings_(settings),
        last_(last),
        images_(images),
        pool_(pool),
        observer_(observer),
        values_(settings.quantities(images)) {}

  void compute(const std::vector<std::string>& checkpoints, const std::vector<Directions>& plane) {
    {
      const Stage stage(observer_, "checkpoints", total(), done());
      save();  // fails before the computation if `path_` cannot be written
      compute_own(checkpoints);
      if (!observer_.stop_requested()) compute_projected(plane);
      save();
    }
    if (done() < total())
      throw Interrupted(
          text(done(), " of ", total(), " losses of checkpoints are saved in ", path_));
  }

 private:
  int64_t total() const { return 2 * results_.count(); }
  int64_t done() const { return results_.own.done_count() + results_.projected.done_count(); }

  /// Evaluates the checkpoints themselves, each with its own BatchNorm statistics.
  void compute_own(const std::vector<std::string>& checkpoints) {
    const Directions nowhere{
        .x = {.parameters = Tensor::zeros({last_.weights.theta.size()}), .running_stats = {}},
        .y = {}};
    for (int64_t e = 0; e < results_.count() && !observer_.stop_requested(); ++e) {
      if (results_.own.done(e)) continue;
      const LoadedModel model = load_model(checkpoints[static_cast<size_t>(e)]);
      EvaluationSpec spec = settings_.spec(last_, images_, {&nowhere, 1});
      spec.theta = model.weights.theta;
      spec.running_stats = model.weights.running_stats;
      evaluate(spec, results_.own, {{e, {0, 0}}});
    }
  }

  void compute_projected(const std::vector<Directions>& plane) {
    std::vector<GridPoint> points;
    for (int64_t e = 0; e < results_.count(); ++e) {
      const auto k = static_cast<size_t>(e);
      if (!results_.projected.done(e))
        points.push_back({e, {results_.coordinates.x[k], results_.coordinates.y[k]}});
    }
    if (!points.empty())
      evaluate(settings_.spec(last_, images_, plane), results_.projected, points);
  }

  void evaluate(const EvaluationSpec& spec, Surface& losses, std::vector<GridPoint> points) {
    Evaluator evaluator(spec, pool_);
    GridPointQueue queue(std::move(points));
    evaluate_points(
        evaluator, 1, [&] { return queue.next(); },
        [&](int64_t e, const std::vector<PointSums>& sums) {
          values_.record(losses, e, sums);
          observer_.advance(done(), [&] { return text(done(), "/", total(), " losses"); });
          if (std::chrono::duration<double>(Clock::now() - saved_).count() >=
              settings_.save_seconds)
            save();
        },
        [&] { return observer_.stop_requested(); });
  }

  void save() {
    results_.save(path_);
    saved_ = Clock::now();
  }

  TrajectoryResults& results_;
  const std::string& path_;
  const SurfaceSettings& settings_;
  const LoadedModel& last_;
  const ImageSets& images_;
  ThreadPool& pool_;
  Observer& observer_;
  SurfaceValues values_;
  Clock::time_point saved_{};
};

}  // namespace

void compute_checkpoint_losses(TrajectoryResults& results, const std::string& path,
                               const std::vector<std::string>& checkpoints,
                               const std::vector<Directions>& plane,
                               const SurfaceSettings& settings, const LoadedModel& last,
                               const ImageSets& images, ThreadPool& pool, Observer& observer) {
  CheckpointLosses(results, path, settings, last, images, pool, observer)
      .compute(checkpoints, plane);
}

}  // namespace topograd
