// How much of a surface is not convex.
#pragma once

#include <string>

#include "landscape/surface/surface.h"

namespace topograd {

struct NonConvexShare {
  double share = 0;    ///< of the points; NaN where there are none
  int64_t points = 0;  ///< interior ones that are done and finite, and all their neighbours too
};

/// The share of a grid's points where the smallest eigenvalue of the 2x2 Hessian of a plane is
/// below zero, by central differences over the eight neighbours. The grid's spacing may vary.
/// Differences see curvature above about the values' rounding over the spacing's square; less is
/// noise. Throws Error for a line.
NonConvexShare non_convex_share(const Surface& surface, const std::string& plane);

}  // namespace topograd
