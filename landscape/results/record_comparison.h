// Two records of one kind, quantity by quantity.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "landscape/results/record.h"

namespace topograd {

struct ValueSummary {
  double min = 0, max = 0, mean = 0;
};

/// A difference, and the point where it is the largest.
struct LargestDifference {
  double value = 0;
  int64_t point = -1;  ///< -1: there was no point to compare at
};

/// One quantity at the points that are done and finite in both records.
struct ArrayComparison {
  std::string name;
  int64_t points = 0;
  int64_t not_finite = 0;      ///< points done in both, left out because a value is not finite
  ValueSummary a, b;           ///< NaN where no point is left
  LargestDifference absolute;  ///< |b - a|
  LargestDifference relative;  ///< |b - a| / |a|, where a is not 0
  std::optional<LargestDifference> errors;  ///< |b - a| / sqrt(error_a^2 + error_b^2), where both
                                            ///< know theirs and the sum is not 0
  double correlation = 0;                   ///< Pearson's; NaN where a record's values are all one
};

/// Whether two records have an axis at the same places, up to rounding; without coordinates, of
/// the same extent.
bool same_axis(const Record& a, const Record& b, const std::string& axis);

/// Compares every array of numbers that both have over the same axes, in the order of `a`. Errors
/// are those of <name>_se, or those that the array itself names. Throws Error where the axes of the
/// records' tables are not the same.
std::vector<ArrayComparison> compare_records(const Record& a, const Record& b);

}  // namespace topograd
