// Compares two records, quantity by quantity.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "landscape/results/record.h"

namespace topograd {

struct ValueSummary {
  double min = 0, max = 0, mean = 0;
};

/// The largest of some differences, and its point.
struct LargestDifference {
  double value = 0;
  int64_t point = -1;  ///< -1: no point was compared
};

/// Comparison of one quantity at the points that are done and finite in both records.
struct ArrayComparison {
  std::string name;
  int64_t points = 0;
  int64_t not_finite = 0;      ///< points done in both, left out because a value is not finite
  ValueSummary a, b;           ///< NaN if no point is left
  LargestDifference absolute;  ///< |b - a|
  LargestDifference relative;  ///< |b - a| / |a|, over points where a is not 0
  std::optional<LargestDifference> errors;  ///< |b - a| / sqrt(error_a^2 + error_b^2) if both have
                                            ///< errors, over points where the sum is not 0
  double correlation = 0;                   ///< Pearson's; NaN if a record's values are all equal
};

/// Returns whether an axis has the same coordinates in two records, up to rounding, or has none in
/// both.
bool same_axis(const Record& a, const Record& b, const std::string& axis);

/// Compares every array of numbers that both have over the same axes, in the order of `a`. Errors
/// are those of <name>_se, else those that the array names. Throws Error if the axes of the
/// records' tables differ.
std::vector<ArrayComparison> compare_records(const Record& a, const Record& b);

}  // namespace topograd
