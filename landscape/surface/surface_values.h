// SurfaceValues: which planes a surface has, and what a point's sums become in them.
#pragma once

#include <string>
#include <vector>

#include "landscape/evaluation/evaluation.h"
#include "landscape/surface/surface.h"

namespace topograd {

struct SurfaceQuantities {
  std::vector<std::string> sets;  ///< "train", "test"
  std::vector<LossKind> losses;
  bool counts_differ = false;        ///< points may stop at different numbers of images
  std::vector<uint64_t> seeds = {};  ///< of the planes, where there are several
};

/// For every set: <set>_loss, the first loss, <set>_loss_se, the standard error of that mean,
/// <set>_acc (percent), <set>_correct (a count); and for every further loss <set>_loss_<name> and
/// <set>_loss_<name>_se. Where points may differ in it, <set>_n is the number of images.
///
/// Of several planes all of these are the mean over the planes. For the standard error that is an
/// upper bound: all planes see the same images, and their errors at a point may go together. Beside
/// it: <set>_loss_sd, the standard deviation over the planes (of a sample, divided by one less),
/// and each plane's own <set>_loss_seed<seed>.
class SurfaceValues {
 public:
  SurfaceValues() = default;
  explicit SurfaceValues(const SurfaceQuantities& quantities);

  /// Makes the planes that are missing.
  void add_planes(Surface& surface) const;
  /// Enters a point's values, one PointSums for each plane, and marks the point as done.
  void record(Surface& surface, int64_t point, std::span<const PointSums> planes) const;
  /// The plane that stands for the surface: the first set's loss.
  std::string main_plane() const { return quantities_.sets.front() + losses_.front(); }

 private:
  void record_loss(Surface& surface, size_t point, const std::string& name,
                   const std::vector<double>& means) const;

  SurfaceQuantities quantities_;
  std::vector<std::string> losses_;  // what follows the set's name: "_loss", "_loss_mse"
};

}  // namespace topograd
