#include "apps/surface_computation.h"

#include <filesystem>
#include <utility>

#include "apps/cli.h"
#include "apps/progress.h"
#include "landscape/refinement.h"
#include "landscape/surface_saver.h"

namespace topograd {

SurfaceComputation::SurfaceComputation(Surface& surface, const SurfaceValues& values,
                                       const EvaluationSpec& spec, ThreadPool& pool,
                                       std::string path, double save_seconds)
    : surface_(surface),
      planes_(spec.planes.size()),
      values_(values),
      evaluator_(spec, pool),
      path_(std::move(path)),
      save_seconds_(save_seconds) {}

PlanePosition SurfaceComputation::position(int64_t point) const {
  return {surface_.x()[static_cast<size_t>(point % surface_.nx())],
          surface_.is_line() ? 0 : surface_.y()[static_cast<size_t>(point / surface_.nx())]};
}

std::string SurfaceComputation::progress(double seconds) const {
  return text(surface_.done_count(), "/", surface_.points(), " points  ",
              decimals(static_cast<double>(images_) / seconds, 0), " images/s  minimum ",
              decimals(minimum(surface_, values_.main_plane()).second, 4));
}

PointSource SurfaceComputation::source(std::vector<int64_t> todo) const {
  return [this, todo = std::move(todo), next = size_t{0}]() mutable -> std::optional<PointTask> {
    if (next == todo.size() * planes_) return std::nullopt;
    const int64_t point = todo[next / planes_];
    const size_t plane = next++ % planes_;
    return PointTask{.id = point, .position = position(point), .plane = plane};
  };
}

bool SurfaceComputation::run() {
  const std::string name = std::filesystem::path(path_).filename().string();
  ProgressBar bar(surface_.points(), surface_.done_count());
  SurfaceSaver saver(path_, save_seconds_);
  PlaneCollector collector(planes_);
  evaluator_.run(
      source(points_to_do(surface_)),
      [&](const PointTask& task, const PointSums& sums) {
        for (const auto& set : sums) images_ += set.front().count;
        const auto planes = collector.add(task, sums);
        if (planes.empty()) return;
        values_.record(surface_, task.id, planes);
        const int64_t done = surface_.done_count();
        if (bar.due(done)) bar.update(done, name, progress(bar.seconds()));
        saver.offer(surface_);
      },
      cli::interrupted);
  saver.save(surface_);
  images_per_second_ = static_cast<double>(images_) / bar.seconds();
  return surface_.done_count() == surface_.points();
}

}  // namespace topograd
