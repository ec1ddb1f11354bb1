// Refinement: the order in which a grid is computed, from coarse to fine.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "landscape/surface/surface.h"

namespace topograd {

/// Level 0 are the ends of each axis, so the corners; every further level halves the spacing, until
/// the last has all points. A level contains those before it. Where the spacing is no power of two,
/// a coarse level's steps differ by one point.
class Refinement {
 public:
  /// Of nx points on the x axis and ny on the y axis (1 for a line).
  Refinement(int64_t nx, int64_t ny);

  int64_t levels() const { return levels_; }
  /// The coordinates of a level on an axis of n points, as indices.
  static std::vector<int64_t> indices(int64_t n, int64_t level);
  /// All points: each level's own ones after those of the levels before, row by row.
  std::vector<int64_t> order() const;

 private:
  int64_t nx_, ny_;
  int64_t levels_;
};

/// The points that are not done, from coarse to fine.
std::vector<int64_t> points_to_do(const Surface& surface);

/// The finest level of which all points are done, as a surface of its own with the same planes and
/// provenance; none where not even the first is complete.
std::optional<Surface> finest_complete_level(const Surface& surface);

}  // namespace topograd
