// Refinement: the order in which a grid is computed, from coarse to fine.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "landscape/surface/surface.h"

namespace topograd {

/// Nested levels of a grid. Level 0 is the ends of each axis, hence the corners; every further
/// level halves the spacing, until the last has all points. A level contains those before it. If an
/// axis's number of steps is not a power of two, the steps of a coarse level differ by one point.
class Refinement {
 public:
  /// Makes levels of a grid of nx points on the x axis and ny on the y axis (1 for a line).
  Refinement(int64_t nx, int64_t ny);

  int64_t levels() const { return levels_; }
  /// Returns the indices of a level's points on an axis of n points.
  static std::vector<int64_t> indices(int64_t n, int64_t level);
  /// Returns all points, level by level; the points that a level adds come row by row.
  std::vector<int64_t> order() const;

 private:
  int64_t nx_, ny_;
  int64_t levels_;
};

/// Returns the points that are not done, from coarse to fine.
std::vector<int64_t> points_to_do(const Surface& surface);

/// Returns the finest level of which all points are done, as a surface with the same planes and
/// provenance; nullopt if level 0 is incomplete.
std::optional<Surface> finest_complete_level(const Surface& surface);

}  // namespace topograd
