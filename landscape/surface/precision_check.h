// The receipt of reduced precision: some points of a surface again in f32.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "landscape/surface/surface.h"

namespace topograd {

/// Points worth repeating, each once: the one nearest the centre (0, 0), the corners (of a line:
/// its ends), the one where the plane of this name is steepest, and up to `random` others that
/// depend on the number of points alone.
std::vector<int64_t> points_to_check(const Surface& surface, const std::string& plane,
                                     int64_t random = 8);

/// How far a plane of two surfaces is apart at some points.
struct PrecisionCheck {
  int64_t points = 0;
  double largest = 0, median = 0;  ///< of the absolute differences
  int64_t where = -1;              ///< the point of the largest

  /// "14 points again in f32: train_loss differs by up to 0.0241, at (0.4, -1), by 0.0003 in the
  /// median".
  std::string describe(const Surface& surface, const std::string& plane) const;
};

/// Two NaN, or two equal infinities, do not differ; a finite value and another differ infinitely.
PrecisionCheck compare_at(const std::vector<int64_t>& points, const Surface& surface,
                          const Surface& exact, const std::string& plane);

}  // namespace topograd
