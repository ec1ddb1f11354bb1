#include "landscape/surface_values.h"

#include <utility>

namespace topograd {

SurfaceValues::SurfaceValues(std::vector<std::string> sets) : sets_(std::move(sets)) {}

void SurfaceValues::add_planes(Surface& surface) const {
  for (const std::string& set : sets_)
    for (const char* quantity : {"_loss", "_acc", "_loss_se"}) surface.add_plane(set + quantity);
}

void SurfaceValues::record(Surface& surface, int64_t point, const PointSums& sums) const {
  const auto enter = [&](const std::string& plane, double value) {
    surface.add_plane(plane)[static_cast<size_t>(point)] = value;
  };
  for (size_t set = 0; set < sets_.size(); ++set) {
    const LossSums& s = sums[set].front();
    enter(sets_[set] + "_loss", s.mean());
    enter(sets_[set] + "_acc", s.accuracy());
    enter(sets_[set] + "_loss_se", s.standard_error());
  }
  surface.mark_done(point);
}

}  // namespace topograd
