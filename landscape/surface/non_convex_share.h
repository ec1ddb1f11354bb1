// The share of a surface's points at which it is not convex.
#pragma once

#include <string>

#include "landscape/surface/surface.h"

namespace topograd {

struct NonConvexShare {
  double share = 0;    ///< share of `points`; NaN if there are none
  int64_t points = 0;  ///< interior points that are done and finite, as are all their neighbours
};

/// Returns the share of a grid's points where the smallest eigenvalue of the 2x2 Hessian of a plane
/// is negative, by central differences over the eight neighbours. The grid's spacing may vary.
/// Curvature below about the values' rounding error over the spacing's square is noise. Throws
/// Error for a line.
NonConvexShare non_convex_share(const Surface& surface, const std::string& plane);

}  // namespace topograd
