#include "landscape/trajectory/trajectory_computation.h"

#include <algorithm>
#include <filesystem>

#include "landscape/results/resumable_file.h"
#include "landscape/trajectory/checkpoint_losses.h"
#include "landscape/trajectory/checkpoints.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kIdentity = identity_with(
    {"checkpoints_hash", "direction_hash", "dir_type", "precision", "population", "target_se"});

double extent(const std::vector<double>& values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return *high - *low;
}

/// Returns an axis with a margin of a fifth of the values' range, at least `least` long.
Axis axis_around(const std::vector<double>& values, double least) {
  const double range = extent(values);
  return covering_axis(values, std::max(0.2 * range, 0.5 * (least - range)), 31);
}

}  // namespace

TrajectoryComputation::TrajectoryComputation(const TrajectorySettings& settings,
                                             const SurfaceSettings& surface,
                                             const LoadedModel& last, const ImageSets& images,
                                             ThreadPool& pool)
    : settings_(settings),
      surface_(surface),
      last_(last),
      images_(images),
      pool_(pool),
      results_(std::vector<double>(settings.checkpoints.size())) {
  // The checkpoints' vectors are on the CPU, even if another device computes the losses.
  std::optional<ThreadPool> other;
  ThreadPool& on_cpu = pool.device() == Device::cpu ? pool : other.emplace();
  const CheckpointRows checkpoints = read_checkpoints(settings.checkpoints, settings.type, last);
  results_.epochs = checkpoints.epochs;
  find_plane(checkpoints, on_cpu);
  project(checkpoints, on_cpu);
  describe(checkpoints);
}

void TrajectoryComputation::find_plane(const CheckpointRows& checkpoints, ThreadPool& pool) {
  const std::string& given = settings_.dir_file;
  if (!given.empty() && fs::exists(given)) {
    directions_ = directions_in_file({.file = given, .type = settings_.type}, last_);
    return;
  }
  components_ = components_of(checkpoints, settings_.ignore, last_.graph.layout(), pool);
  results_.explained = components_.explained;
  results_.random_walk =
      random_walk_explained(results_.count(), static_cast<int>(components_.explained.size()));
  directions_ = principal_plane(
      {.checkpoints = settings_.checkpoints, .ignore = settings_.ignore, .type = settings_.type},
      checkpoints, components_, last_);
  const fs::path output = settings_.output;
  directions_.file =
      given.empty() ? (output.parent_path() / output.stem()).string() + "_directions.h5" : given;
}

void TrajectoryComputation::project(const CheckpointRows& checkpoints, ThreadPool& pool) {
  const Directions& plane = directions_.planes.front();
  const Tensor dx = flat(plane.x.parameters, plane.x.running_stats);
  const Tensor dy = flat(plane.y->parameters, plane.y->running_stats);
  PlaneCoordinates& at = results_.coordinates;
  at = plane_coordinates(checkpoints.rows, dx, dy, pool);
  results_.in_plane = variance_in_plane(checkpoints.rows, at, dx, dy, pool);
  const double least = 0.7 * std::max(extent(at.x), extent(at.y));
  directions_.x_axis = axis_around(at.x, least);
  directions_.y_axis = axis_around(at.y, least);
}

/// Returns the indices of checkpoints after which the learning rate dropped, each with a space
/// behind it.
std::string TrajectoryComputation::rate_drops_of_run() const {
  std::string found;
  for (double drop : rate_drops(last_.info.config)) {
    const auto end = results_.epochs.end() - 1;
    const auto at =
        std::find_if(results_.epochs.begin(), end, [&](double epoch) { return epoch >= drop; });
    if (at != end) found += text(at - results_.epochs.begin(), " ");
  }
  return found;
}

void TrajectoryComputation::describe(const CheckpointRows& checkpoints) {
  Provenance& p = results_.provenance;
  surface_.describe(p, last_, images_, directions_.type, pool_.device());
  directions_.describe(p);
  p["checkpoints_hash"] = checkpoints.hash;
  std::string names;
  for (const std::string& path : settings_.checkpoints) names += path + "\n";
  p["checkpoints"] = names;
  p["dir_file"] = directions_.file;
  p["ignore"] = name_of(settings_.ignore);
  const std::string drops = checkpoints.one_run ? rate_drops_of_run() : "";
  if (!drops.empty()) p["rate_drops"] = drops;
}

void TrajectoryComputation::take_losses() {
  const SurfaceValues values(surface_.quantities(images_));
  values.add_planes(results_.own);
  values.add_planes(results_.projected);
  if (!is_there(settings_.output)) return;
  const OwnOutputScope own;
  require_same_command(settings_.output, TrajectoryResults::read_provenance(settings_.output),
                       results_.provenance, kIdentity);
  results_.take_losses(settings_.output);
}

void TrajectoryComputation::begin() {
  claim_.emplace(claim_output(settings_.output));
  take_losses();
  if (!components_.directions.empty()) write_directions_file();
}

void TrajectoryComputation::write_directions_file() const {
  const ParameterLayout& layout = last_.graph.layout();
  const Directions& plane = directions_.planes.front();
  const std::string& file = directions_.file;
  if (fs::exists(file)) {
    const Directions there = read_directions(file, layout, settings_.type);
    require(directions_hash({there}) == directions_hash({plane}), file,
            " holds other directions: choose another --output, or remove the file");
    return;
  }
  const auto first_two = [](const std::vector<double>& all) {
    return std::vector<double>(all.begin(), all.begin() + 2);
  };
  write_directions(file, layout, settings_.type, plane.x, plane.y, results_.provenance,
                   {{"explained_variance_ratio_", first_two(components_.explained)},
                    {"explained_variance_", first_two(components_.variances)},
                    {"singular_values_", first_two(components_.singular_values)}});
}

void TrajectoryComputation::compute_losses(Observer& observer) {
  compute_checkpoint_losses(results_, settings_.output, settings_.checkpoints, directions_.planes,
                            surface_, last_, images_, pool_, observer);
}

}  // namespace topograd
