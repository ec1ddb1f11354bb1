#include "landscape/surface/surface_map.h"

#include <filesystem>

#include "kernels/core/check.h"
#include "landscape/directions/plane.h"
#include "landscape/results/run_description.h"
#include "landscape/surface/continued_surface.h"
#include "landscape/surface/refinement.h"
#include "landscape/surface/surface_saver.h"

namespace topograd {

SurfaceMap::SurfaceMap(const SurfaceMapSettings& settings, const Surface& source,
                       const SurfaceDirections& directions, const LoadedModel& model,
                       Observer& observer)
    : settings_(settings),
      model_(model),
      observer_(observer),
      surface_(source.x(), source.y()),
      identity_({"quantity", "model_hash", "direction_hash", "dir_type", "device"}),
      plane_(directions.planes.front()) {
  require(!settings.output.empty(), "--output is empty: it names an HDF5 file");
  require(settings.output != settings.over, "--output and --over both name ", settings.over,
          ": choose another name for the output");
  Provenance& p = surface_.provenance;
  p["quantity"] = settings.quantity;
  describe_model(p, model);
  directions.describe(p);
  for (const auto& [key, value] : settings.choices) p[key] = value;  // a seed replaces theirs
  for (const auto& [key, value] : settings.choices) identity_.push_back(key);
  p["over"] = settings.over;
  for (const auto& [key, value] : settings.run) p[key] = value;
  surface_.dir_file = source.dir_file;
  for (const std::string& name : settings.planes) surface_.add_plane(name);
}

int64_t SurfaceMap::points_to_do() const {
  const std::optional<Surface> saved = saved_surface(surface_, settings_.output, identity_);
  return surface_.points() - (saved ? saved->done_count() : 0);
}

SurfaceMap::Point SurfaceMap::at(int64_t point) {
  const double alpha = surface_.x()[static_cast<size_t>(point % surface_.nx())];
  const double beta =
      surface_.is_line() ? 0 : surface_.y()[static_cast<size_t>(point / surface_.nx())];
  const ModelState there = at_point(model_.weights, plane_, alpha, beta, host_);
  return {alpha, beta, there.theta, there.running_stats};
}

void SurfaceMap::compute(const Measure& measure) {
  continue_or_begin(surface_, settings_.output, identity_, observer_);
  const std::vector<int64_t> points = topograd::points_to_do(surface_);
  if (points.empty()) return;
  {
    const std::string name = std::filesystem::path(settings_.output).filename().string();
    const Stage stage(observer_, name, surface_.points(), surface_.done_count());
    SurfaceSaver saver(settings_.output, settings_.save_seconds);
    for (const int64_t point : points) {
      const std::optional<Values> values = measure(at(point));
      if (!values) break;
      for (const auto& [plane, value] : *values)
        surface_.add_plane(plane)[static_cast<size_t>(point)] = value;
      surface_.mark_done(point);
      observer_.advance(surface_.done_count(), [&] {
        return text(surface_.done_count(), "/", surface_.points(), " points");
      });
      saver.offer(surface_);
    }
    saver.save(surface_);
  }
  if (surface_.done_count() < surface_.points())
    throw Interrupted(text(surface_.done_count(), " of ", surface_.points(),
                           " points are saved in ", settings_.output));
}

}  // namespace topograd
