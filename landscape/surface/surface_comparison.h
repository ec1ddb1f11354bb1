// Two surfaces on the same points, quantity by quantity.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "landscape/surface/surface.h"

namespace topograd {

struct PlaneSummary {
  double min = 0, max = 0, mean = 0;
};

/// A difference, and the point where it is the largest.
struct LargestDifference {
  double value = 0;
  int64_t point = -1;  ///< -1: there was no point to compare at
};

/// One quantity at the points that are done and finite in both surfaces.
struct PlaneComparison {
  std::string name;
  int64_t points = 0;
  int64_t not_finite = 0;      ///< points done in both, left out because a value is not finite
  PlaneSummary a, b;           ///< NaN where no point is left
  LargestDifference absolute;  ///< |b - a|
  LargestDifference relative;  ///< |b - a| / |a|, where a is not 0
  std::optional<LargestDifference> standard_errors;  ///< |b - a| / sqrt(se_a^2 + se_b^2), where
                                                     ///< both know theirs and the sum is not 0
  double correlation = 0;                            ///< Pearson's; NaN where a surface is flat
};

/// Every plane that both have, in alphabetical order. Throws Error where the points are not the
/// same.
std::vector<PlaneComparison> compare_surfaces(const Surface& a, const Surface& b);

}  // namespace topograd
