#include "apps/landscape/surface/surface_computation.h"

#include <filesystem>
#include <utility>

#include "apps/common/cli.h"
#include "kernels/core/format.h"
#include "landscape/surface/refinement.h"

namespace topograd {

GridPoint grid_point(const Surface& surface, int64_t point) {
  const double x = surface.x()[static_cast<size_t>(point % surface.nx())];
  const double y = surface.is_line() ? 0 : surface.y()[static_cast<size_t>(point / surface.nx())];
  return {point, {x, y}};
}

SurfaceComputation::SurfaceComputation(Surface& surface, const SurfaceValues& values,
                                       const EvaluationSpec& spec, ThreadPool& pool,
                                       std::string path, double save_seconds)
    : surface_(surface),
      values_(values),
      planes_(spec.planes.size()),
      threads_(pool.threads()),
      evaluator_(spec, pool),
      path_(std::move(path)),
      save_seconds_(save_seconds) {}

std::vector<GridPoint> SurfaceComputation::todo() const {
  std::vector<GridPoint> points;
  for (int64_t point : points_to_do(surface_)) points.push_back(grid_point(surface_, point));
  return points;
}

std::string SurfaceComputation::progress(double seconds) const {
  return text(surface_.done_count(), "/", surface_.points(), " points  ",
              decimals(static_cast<double>(images_) / seconds, 0), " images/s  minimum ",
              decimals(minimum(surface_, values_.main_plane()).second, 4));
}

void SurfaceComputation::enter(int64_t point, const std::vector<PointSums>& planes,
                               SurfaceSaver& saver, ProgressBar& bar) {
  for (const PointSums& sums : planes)
    for (const auto& set : sums) images_ += set.front().count;
  values_.record(surface_, point, planes);
  const int64_t done = surface_.done_count();
  if (bar.due(done))
    bar.update(done, std::filesystem::path(path_).filename().string(), progress(bar.seconds()));
  saver.offer(surface_);
}

bool SurfaceComputation::run(ProcessGroup& ranks) {
  ProgressBar bar(surface_.points(), surface_.done_count());
  SurfaceSaver saver(path_, save_seconds_);
  GridPointQueue dealer(todo());
  const GridPointSink take = [&](int64_t point, const std::vector<PointSums>& planes) {
    enter(point, planes, saver, bar);
  };
  if (ranks.size() == 1)
    evaluate_points(
        evaluator_, planes_, [&] { return dealer.next(); }, take, cli::interrupted);
  else
    lead_computation(ranks, evaluator_, planes_, dealer, take, cli::interrupted,
                     [&] { saver.save(surface_); });
  saver.save(surface_);
  images_per_second_ = static_cast<double>(images_) / bar.seconds();
  return surface_.done_count() == surface_.points();
}

void SurfaceComputation::follow(ProcessGroup& ranks) {
  follow_leader(ranks, evaluator_, planes_, threads_, cli::interrupted);
}

}  // namespace topograd
