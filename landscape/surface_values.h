// SurfaceValues: which planes a surface has, and what a point's sums become in them.
#pragma once

#include <string>
#include <vector>

#include "landscape/evaluation.h"
#include "landscape/surface.h"

namespace topograd {

/// <set>_loss, <set>_acc (percent) and <set>_loss_se (the standard error of the mean loss) of every
/// set ("train", "test").
class SurfaceValues {
 public:
  SurfaceValues() = default;
  explicit SurfaceValues(std::vector<std::string> sets);

  /// Makes the planes that are missing.
  void add_planes(Surface& surface) const;
  /// Enters a point's values, and marks it as done.
  void record(Surface& surface, int64_t point, const PointSums& sums) const;
  /// The plane that stands for the surface: the first set's loss.
  std::string main_plane() const { return sets_.front() + "_loss"; }

 private:
  std::vector<std::string> sets_;
};

}  // namespace topograd
