// SurfaceValues: the planes of a surface, and their values from the sums of a point.
#pragma once

#include <string>
#include <vector>

#include "landscape/evaluation/evaluation.h"
#include "landscape/surface/surface.h"

namespace topograd {

struct SurfaceQuantities {
  std::vector<std::string> sets;       ///< "train", "test"
  std::vector<int64_t> populations{};  ///< as EvaluationSpec::populations
  std::vector<Loss> losses;
  std::vector<Loss> measures{};      ///< beside them
  bool has_answers = true;           ///< whether images have right answers: an accuracy
  bool counts_differ = false;        ///< points may stop at different numbers of images
  std::vector<uint64_t> seeds = {};  ///< seeds of the planes, if there are several

  /// Returns what is evaluated, in this order: the losses, then the measures, of which calibration
  /// is one for every bin.
  std::vector<Loss> evaluated() const;
};

/// Returns the name of a measure's plane without the set's: "top5_acc", "confidence", "margin",
/// "calibration_error".
std::string measure_plane(const Loss& measure);

/// Adds the planes of a quantity that the surface lacks: `name`; with several seeds also <name>_sd
/// and, for each of them, <name>_seed<seed>.
void add_quantity(Surface& surface, const std::string& name, const std::vector<uint64_t>& seeds);
/// Enters a quantity's values at a point, one for each plane of directions: their mean; with several
/// seeds also their sample standard deviation (divided by n - 1), and each.
void record_quantity(Surface& surface, int64_t point, const std::string& name,
                     const std::vector<double>& values, const std::vector<uint64_t>& seeds);

/// Named quantities of a surface. Every set has <set>_loss, the mean of the first loss,
/// <set>_loss_se, its standard error, <set>_acc (percent), <set>_correct (a count); and for every
/// further loss <set>_loss_<name> and <set>_loss_<name>_se. Images without right answers have no
/// _acc and no _correct. Measures (LossKind) are <set>_top5_acc (percent), <set>_confidence,
/// <set>_margin, each with its standard error, and <set>_calibration_error, without: it is biased
/// upwards by the bins' noise. If points may stop early, <set>_n is the number of images.
///
/// With several planes, these are means over the planes. For the standard error that is an upper
/// bound: all planes see the same images, so their errors at a point may be correlated. Then every
/// loss also has <set>_loss_sd and each plane's <set>_loss_seed<seed> (add_quantity).
class SurfaceValues {
 public:
  SurfaceValues() = default;
  explicit SurfaceValues(const SurfaceQuantities& quantities);

  /// Adds the planes that the surface lacks.
  void add_planes(Surface& surface) const;
  /// Enters a point's values, from one PointSums for each plane, and marks the point as done.
  void record(Surface& surface, int64_t point, std::span<const PointSums> planes) const;
  /// Returns the name of the main plane: the first set's first loss.
  std::string main_plane() const { return quantities_.sets.front() + losses_.front(); }

 private:
  SurfaceQuantities quantities_;
  std::vector<std::string> losses_;  // suffixes to the set's name: "_loss", "_loss_mse"
};

}  // namespace topograd
