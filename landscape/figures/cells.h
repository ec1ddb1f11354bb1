// The cells around the points of an axis: which point a place belongs to.
#pragma once

#include <cstddef>
#include <vector>

namespace topograd::drawing {

/// Returns the n + 1 borders of the cells around an increasing axis's points: midway between them,
/// and as far out at both ends. A single point has half a unit on both sides.
std::vector<double> cell_borders(const std::vector<double>& axis);

/// Returns the index i with stops[i] <= at < stops[i + 1], clamped to the intervals there are.
size_t interval(const std::vector<double>& stops, double at);

}  // namespace topograd::drawing
