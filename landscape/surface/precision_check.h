// Checks reduced precision: recomputes a sample of a surface's points in f32.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "landscape/surface/surface.h"

namespace topograd {

/// Returns the points to recompute, each once: the one nearest (0, 0), the corners (or a line's
/// ends), the one where the plane of this name is steepest, and up to `random` others that depend
/// on the number of points only.
std::vector<int64_t> points_to_check(const Surface& surface, const std::string& plane,
                                     int64_t random = 8);

/// Absolute differences of a plane of two surfaces at some points.
struct PrecisionCheck {
  int64_t points = 0;
  double largest = 0, median = 0;  ///< largest and median difference
  int64_t where = -1;              ///< point of the largest difference; -1: none was compared

  /// Returns "14 points again in f32: train_loss differs by up to 0.0241, at (0.4, -1), by 0.0003
  /// in the median".
  std::string describe(const Surface& surface, const std::string& plane) const;
};

/// Compares a plane at `points`. Two NaN, or two equal infinities, do not differ; a finite value
/// and another differ infinitely.
PrecisionCheck compare_at(const std::vector<int64_t>& points, const Surface& surface,
                          const Surface& exact, const std::string& plane);

}  // namespace topograd
