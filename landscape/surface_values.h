// SurfaceValues: which planes a surface has, and what a point's sums become in them.
#pragma once

#include <string>
#include <vector>

#include "landscape/evaluation.h"
#include "landscape/surface.h"

namespace topograd {

/// For every set ("train", "test"): <set>_loss, the first loss, <set>_loss_se, the standard error
/// of that mean, <set>_acc (percent), <set>_correct (a count); and for every further loss
/// <set>_loss_<name> and <set>_loss_<name>_se. Where points may differ in it, <set>_n is the number
/// of images.
class SurfaceValues {
 public:
  SurfaceValues() = default;
  SurfaceValues(std::vector<std::string> sets, const std::vector<LossKind>& losses,
                bool counts_differ);

  /// Makes the planes that are missing.
  void add_planes(Surface& surface) const;
  /// Enters a point's values, and marks it as done.
  void record(Surface& surface, int64_t point, const PointSums& sums) const;
  /// The plane that stands for the surface: the first set's loss.
  std::string main_plane() const { return sets_.front() + losses_.front(); }

 private:
  std::vector<std::string> sets_;
  std::vector<std::string> losses_;  // what follows the set's name: "_loss", "_loss_mse"
  bool counts_differ_ = false;
};

}  // namespace topograd
