// How far the numbers of a result agree with the same numbers computed anew.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "landscape/results/record.h"
#include "landscape/verification/sample.h"

namespace topograd {

/// Number that was not found again.
struct Deviation {
  std::string name;   ///< the array's: "train_loss"
  std::string where;  ///< its place: "x = 0.5, y = -1"; empty for a single number
  double stated = 0, found = 0;
};

struct Agreement {
  int64_t numbers = 0;               ///< compared
  int64_t same_bits = 0;             ///< of them equal to the bit
  double largest_difference = 0;     ///< of the others, relative to the larger of the two
  std::vector<Deviation> deviating;  /// those beyond the tolerance
};

/// Compares every array of numbers that both records have over the same axes: with a sample, its
/// points alone; without one, all numbers that are done in both. Two numbers agree if they are
/// equal, if both are NaN, or if they differ by at most `tolerance` times the larger; of
/// eigenvalues, residuals and densities times the largest of the array, whose smallest are
/// differences of large numbers; an accuracy may differ by one image. Rows are matched by their names
/// where they have some.
Agreement agreement_of(const Record& stated, const Record& found, const PointSample* sample,
                       double tolerance);

}  // namespace topograd
