#include "landscape/surface/surface_computation.h"

#include <chrono>
#include <filesystem>

#include "kernels/core/format.h"
#include "landscape/results/loss_text.h"
#include "landscape/results/resumable_file.h"
#include "landscape/surface/barrier.h"
#include "landscape/surface/continued_surface.h"
#include "landscape/surface/precision_check.h"
#include "landscape/surface/refinement.h"
#include "landscape/surface/surface_saver.h"

namespace topograd {

namespace {

using Clock = std::chrono::steady_clock;

const std::vector<std::string> kIdentity = identity_with(
    {"direction_hash", "dir_type", "precision", "population", "target_se", "seeds", "quantity"});

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Returns an empty surface on the axes of the settings or, without them, of the directions.
Surface grid_of(const SurfaceSettings& settings, const SurfaceDirections& directions) {
  require(!directions.planes.empty(), "a surface needs a direction, or two");
  const std::vector<double> x = settings.x.value_or(directions.x_axis).coordinates();
  if (directions.is_line()) return Surface(x);
  return Surface(x, settings.y.value_or(directions.y_axis).coordinates());
}

}  // namespace

GridPoint grid_point(const Surface& surface, int64_t point) {
  const double x = surface.x()[static_cast<size_t>(point % surface.nx())];
  const double y = surface.is_line() ? 0 : surface.y()[static_cast<size_t>(point / surface.nx())];
  return {point, {x, y}};
}

SurfaceComputation::SurfaceComputation(const SurfaceSettings& settings, const LoadedModel& model,
                                       const ImageSets& images, const SurfaceDirections& directions,
                                       ThreadPool& pool, Observer& observer, ProcessGroup& group)
    : settings_(settings),
      model_(model),
      images_(images),
      directions_(directions),
      pool_(pool),
      observer_(observer),
      group_(group),
      values_(settings.quantities(images, directions.seeds)),
      surface_(grid_of(settings, directions)) {
  check(settings, pool.device());
  settings.describe(surface_.provenance, model, images, directions.type, pool.device());
  directions.describe(surface_.provenance);
  surface_.dir_file = directions.file;
}

void SurfaceComputation::require_same_inputs() const {
  std::string mine;
  for (const char* key : {"model_hash", "data_hash", "direction_hash", "device", "version"}) {
    const auto found = surface_.provenance.find(key);
    mine += text(key, " ", found == surface_.provenance.end() ? "none" : found->second, "  ");
  }
  const std::string of_rank_zero = group_.gather(mine).front();
  require(mine == of_rank_zero, "has other inputs than rank 0: ", mine, "there, ", of_rank_zero,
          "here");
}

void SurfaceComputation::note_activation() const {
  if (model_.spec.activation.is_positively_homogeneous()) return;
  observer_.note(text(
      "note: filter normalisation makes networks comparable because ReLU networks do not change "
      "when filters are rescaled; this one uses ",
      name_of(model_.spec.activation)));
}

int64_t SurfaceComputation::points_to_do() const {
  if (settings_.output.empty()) return surface_.points();
  const std::optional<Surface> saved = saved_surface(surface_, settings_.output, kIdentity);
  return surface_.points() - (saved ? saved->done_count() : 0);
}

void SurfaceComputation::begin() {
  run_on_all_ranks(group_, [&] { require_same_inputs(); });
  run_on_all_ranks(group_, [&] {
    note_activation();
    evaluator_.emplace(settings_.spec(model_, images_, directions_.planes), pool_);
    if (!group_.is_rank_zero()) return;
    values_.add_planes(surface_);
    if (settings_.output.empty()) return;
    claim_.emplace(claim_output(settings_.output));
    continue_or_begin(surface_, settings_.output, kIdentity, observer_);
  });
}

void SurfaceComputation::run() {
  if (!group_.is_rank_zero()) {
    evaluate_for_rank_zero(group_, *evaluator_, directions_.planes.size(), pool_.threads(),
                           [&] { return stop_requested(); });
    return;
  }
  compute_points();
  if (settings_.arithmetic != Arithmetic{}) check_arithmetic();
  if (directions_.joins_networks) find_barriers();
}

bool SurfaceComputation::stop_requested() {
  const std::lock_guard lock(observer_mutex_);
  return observer_.stop_requested();
}

void SurfaceComputation::save() const {
  if (!settings_.output.empty()) surface_.save(settings_.output);
}

std::vector<GridPoint> SurfaceComputation::points_left() const {
  std::vector<GridPoint> points;
  for (int64_t point : topograd::points_to_do(surface_))
    points.push_back(grid_point(surface_, point));
  return points;
}

void SurfaceComputation::compute_points() {
  const std::string name = settings_.output.empty()
                               ? "surface"
                               : std::filesystem::path(settings_.output).filename().string();
  const Clock::time_point start = Clock::now();
  int64_t images = 0;
  {
    const Stage stage(observer_, name, surface_.points(), surface_.done_count());
    std::optional<SurfaceSaver> saver;
    if (!settings_.output.empty()) saver.emplace(settings_.output, settings_.save_seconds);
    const auto save = [&] {
      if (saver) saver->save(surface_);
    };
    const auto progress = [&] {
      return text(surface_.done_count(), "/", surface_.points(), " points  ",
                  decimals(static_cast<double>(images) / seconds_since(start), 0),
                  " images/s  minimum ", loss_text(minimum(surface_, main_plane()).second, 4));
    };
    const GridPointSink enter = [&](int64_t point, const std::vector<PointSums>& planes) {
      for (const PointSums& sums : planes)
        for (const auto& set : sums) images += set.front().count;
      values_.record(surface_, point, planes);
      {
        const std::lock_guard lock(observer_mutex_);
        observer_.advance(surface_.done_count(), progress);
      }
      if (saver) saver->offer(surface_);
    };
    GridPointQueue queue(points_left());
    evaluate_as_rank_zero(
        group_, *evaluator_, directions_.planes.size(), queue, enter,
        [&] { return stop_requested(); }, save);
    save();
  }
  images_per_second_ = static_cast<double>(images) / seconds_since(start);
  if (surface_.done_count() < surface_.points())
    throw Interrupted(text(surface_.done_count(), " of ", surface_.points(), " points are ",
                           settings_.output.empty() ? "done" : "saved in ", settings_.output));
}

void SurfaceComputation::check_arithmetic() {
  const std::vector<int64_t> points = points_to_check(surface_, main_plane());
  Surface exact = surface_;
  EvaluationSpec in_f32 = settings_.spec(model_, images_, directions_.planes);
  in_f32.dtype = DType::f32;
  in_f32.precision = Precision::f32;
  Evaluator evaluator(in_f32, pool_);
  std::vector<GridPoint> sample;
  for (const int64_t point : points) sample.push_back(grid_point(surface_, point));
  GridPointQueue queue(std::move(sample));
  evaluate_points(
      evaluator, in_f32.planes.size(), [&] { return queue.next(); },
      [&](int64_t point, const std::vector<PointSums>& sums) {
        values_.record(exact, point, sums);
      },
      [&] { return stop_requested(); });
  if (observer_.stop_requested())
    throw Interrupted(text("all ", surface_.points(), " points are ",
                           settings_.output.empty() ? "done" : "saved in ", settings_.output,
                           ", not yet how far they are from f32"));
  surface_.provenance["precision_check"] =
      compare_at(points, surface_, exact, main_plane()).describe(surface_, main_plane());
  save();
}

void SurfaceComputation::find_barriers() {
  bool found = false;
  for (const std::string& set : images_.names) {
    const std::optional<Barrier> barrier =
        barrier_between(surface_.x(), surface_.plane(set + "_loss"), 0, 1);
    if (!barrier) continue;
    std::string& kept = surface_.provenance[set + "_loss_barrier"];
    kept = text(barrier->height, " at ", barrier->at);
    found = true;
  }
  if (found) save();
}

Surface compute_surface(const SurfaceSettings& settings, const LoadedModel& model,
                        const ImageSets& images, const SurfaceDirections& directions,
                        ThreadPool& pool, Observer& observer) {
  const std::unique_ptr<ProcessGroup> alone = single_process();
  SurfaceComputation computation(settings, model, images, directions, pool, observer, *alone);
  computation.begin();
  computation.run();
  return computation.surface();
}

}  // namespace topograd
