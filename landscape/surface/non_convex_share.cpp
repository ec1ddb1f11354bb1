#include "landscape/surface/non_convex_share.h"

#include <cmath>
#include <limits>

#include "kernels/core/check.h"

namespace topograd {

namespace {

/// Returns the second derivative at x1, the middle of three points, by divided differences.
double second_difference(double x0, double x1, double x2, double f0, double f1, double f2) {
  return 2 * ((f2 - f1) / (x2 - x1) - (f1 - f0) / (x1 - x0)) / (x2 - x0);
}

double smallest_eigenvalue(double xx, double xy, double yy) {
  return (xx + yy) / 2 - std::hypot((xx - yy) / 2, xy);
}

}  // namespace

NonConvexShare non_convex_share(const Surface& surface, const std::string& plane) {
  require(!surface.is_line(), "a line has no share of points that are not convex: give a surface");
  const std::vector<double>& values = surface.plane(plane);
  const auto at = [&](int64_t ix, int64_t iy) {
    const int64_t point = surface.index(ix, iy);
    return surface.done(point) ? values[static_cast<size_t>(point)]
                               : std::numeric_limits<double>::quiet_NaN();
  };
  const auto x = [&](int64_t i) { return surface.x()[static_cast<size_t>(i)]; };
  const auto y = [&](int64_t i) { return surface.y()[static_cast<size_t>(i)]; };
  int64_t points = 0, not_convex = 0;
  for (int64_t iy = 1; iy + 1 < surface.ny(); ++iy)
    for (int64_t ix = 1; ix + 1 < surface.nx(); ++ix) {
      const double here = at(ix, iy);
      const double xx =
          second_difference(x(ix - 1), x(ix), x(ix + 1), at(ix - 1, iy), here, at(ix + 1, iy));
      const double yy =
          second_difference(y(iy - 1), y(iy), y(iy + 1), at(ix, iy - 1), here, at(ix, iy + 1));
      const double xy =
          (at(ix + 1, iy + 1) - at(ix + 1, iy - 1) - at(ix - 1, iy + 1) + at(ix - 1, iy - 1)) /
          ((x(ix + 1) - x(ix - 1)) * (y(iy + 1) - y(iy - 1)));
      const double smallest = smallest_eigenvalue(xx, xy, yy);
      if (!std::isfinite(smallest)) continue;
      ++points;
      not_convex += smallest < 0;
    }
  return {static_cast<double>(not_convex) / static_cast<double>(points), points};
}

}  // namespace topograd
