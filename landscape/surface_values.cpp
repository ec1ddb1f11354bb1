#include "landscape/surface_values.h"

#include <utility>

namespace topograd {

SurfaceValues::SurfaceValues(std::vector<std::string> sets, const std::vector<LossKind>& losses,
                             bool counts_differ)
    : sets_(std::move(sets)), counts_differ_(counts_differ) {
  for (LossKind loss : losses)
    losses_.push_back(losses_.empty() ? "_loss" : "_loss_" + std::string(name_of(loss)));
}

void SurfaceValues::add_planes(Surface& surface) const {
  for (const std::string& set : sets_) {
    for (const std::string& loss : losses_)
      for (const char* quantity : {"", "_se"}) surface.add_plane(set + loss + quantity);
    for (const char* quantity : {"_acc", "_correct"}) surface.add_plane(set + quantity);
    if (counts_differ_) surface.add_plane(set + "_n");
  }
}

void SurfaceValues::record(Surface& surface, int64_t point, const PointSums& sums) const {
  const auto enter = [&](const std::string& plane, double value) {
    surface.add_plane(plane)[static_cast<size_t>(point)] = value;
  };
  for (size_t set = 0; set < sets_.size(); ++set) {
    for (size_t loss = 0; loss < losses_.size(); ++loss) {
      enter(sets_[set] + losses_[loss], sums[set][loss].mean());
      enter(sets_[set] + losses_[loss] + "_se", sums[set][loss].standard_error());
    }
    enter(sets_[set] + "_acc", sums[set].front().accuracy());
    enter(sets_[set] + "_correct", static_cast<double>(sums[set].front().correct));
    if (counts_differ_) enter(sets_[set] + "_n", static_cast<double>(sums[set].front().count));
  }
  surface.mark_done(point);
}

}  // namespace topograd
