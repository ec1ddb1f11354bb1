#include "apps/landscape/trajectory/trajectory_losses.h"

#include <cmath>
#include <cstdio>
#include <iostream>
#include <limits>

#include "apps/common/progress.h"
#include "apps/common/table.h"
#include "kernels/core/format.h"
#include "landscape/distributed/shared_evaluation.h"

namespace topograd {

namespace {

std::string number(double value) {
  char shown[32];
  std::snprintf(shown, sizeof shown, "%.5g", value);
  return shown;
}

std::string percent(double share) {
  return decimals(100 * share, 1);
}

class LossComputation {
 public:
  LossComputation(TrajectoryResults& results, const std::string& path, SurfaceInputs& inputs,
                  const SurfaceValues& values, double save_seconds)
      : results_(results),
        path_(path),
        inputs_(inputs),
        values_(values),
        save_seconds_(save_seconds),
        bar_(2 * results.count(), results.own.done_count() + results.projected.done_count()) {}

  /// The checkpoints as networks of their own, with their own BatchNorm statistics.
  void of_checkpoints(const CheckpointList& checkpoints) {
    Directions nowhere{.x = {.parameters = Tensor::zeros({inputs_.model.weights.theta.size()}),
                             .running_stats = {}},
                       .y = {}};
    for (int64_t e = 0; e < results_.count() && !cli::interrupted(); ++e) {
      if (results_.own.done(e)) continue;
      const LoadedModel model = load_model(checkpoints.paths[static_cast<size_t>(e)]);
      EvaluationSpec spec = inputs_.spec({&nowhere, 1});
      spec.theta = model.weights.theta;
      spec.running_stats = model.weights.running_stats;
      evaluate(spec, results_.own, {{e, {0, 0}}});
    }
  }

  void of_projections(const std::vector<Directions>& plane) {
    std::vector<GridPoint> points;
    for (int64_t e = 0; e < results_.count(); ++e) {
      const auto k = static_cast<size_t>(e);
      if (!results_.projected.done(e))
        points.push_back({e, {results_.coordinates.x[k], results_.coordinates.y[k]}});
    }
    if (!points.empty()) evaluate(inputs_.spec(plane), results_.projected, points);
  }

  void save() {
    results_.save(path_);
    saved_at_ = bar_.seconds();
  }

 private:
  void evaluate(const EvaluationSpec& spec, Surface& losses, std::vector<GridPoint> points) {
    Evaluator evaluator(spec, inputs_.pool);
    GridPointQueue dealer(std::move(points));
    evaluate_points(
        evaluator, 1, [&] { return dealer.next(); },
        [&](int64_t e, const std::vector<PointSums>& sums) {
          values_.record(losses, e, sums);
          const int64_t done = results_.own.done_count() + results_.projected.done_count();
          bar_.update(done, "checkpoints", text(done, "/", 2 * results_.count(), " losses"));
          if (bar_.seconds() - saved_at_ >= save_seconds_) save();
        },
        cli::interrupted);
  }

  TrajectoryResults& results_;
  const std::string& path_;
  SurfaceInputs& inputs_;
  const SurfaceValues& values_;
  double save_seconds_;
  ProgressBar bar_;
  double saved_at_ = 0;
};

std::string shares(const std::vector<double>& values) {
  std::string shown;
  for (size_t k = 0; k < std::min<size_t>(values.size(), 5); ++k)
    shown += (k == 0 ? "" : ", ") + percent(values[k]);
  return shown + (values.size() > 5 ? ", ... %" : " %");
}

}  // namespace

void compute_losses(TrajectoryResults& results, const std::string& path,
                    const CheckpointList& checkpoints, const std::vector<Directions>& plane,
                    SurfaceInputs& inputs, const SurfaceValues& values, double save_seconds) {
  LossComputation computation(results, path, inputs, values, save_seconds);
  computation.save();  // a place that cannot be written should fail now, not in an hour
  computation.of_checkpoints(checkpoints);
  if (!cli::interrupted()) computation.of_projections(plane);
  computation.save();
}

void print_trajectory(const TrajectoryResults& results, const std::vector<std::string>& sets) {
  std::vector<std::vector<std::string>> rows = {
      {"epoch", "x", "y", "from the end", "off the plane"}};
  for (const std::string& set : sets)
    for (const char* what : {" loss", " loss in the plane"}) rows[0].push_back(set + what);
  for (size_t e = 0; e < results.epochs.size(); ++e) {
    const PlaneCoordinates& at = results.coordinates;
    rows.push_back({number(results.epochs[e]), number(at.x[e]), number(at.y[e]),
                    number(at.length[e]), number(at.distance[e])});
    for (const std::string& set : sets)
      for (const Surface* losses : {&results.own, &results.projected})
        rows.back().push_back(number(losses->plane(set + "_loss")[e]));
  }
  print_table(rows);
  std::cout << "the plane holds " << percent(results.in_plane) << " % of the variance of the "
            << results.count() << " checkpoints\n";
  if (results.explained.empty()) return;
  std::cout << "principal components explain " << shares(results.explained)
            << "\nof a random walk     they explain " << shares(results.random_walk) << '\n';
}

}  // namespace topograd
