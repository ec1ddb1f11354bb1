#include "landscape/figures/cells.h"

#include <algorithm>

namespace topograd::drawing {

std::vector<double> cell_borders(const std::vector<double>& axis) {
  const size_t n = axis.size();
  if (n == 1) return {axis[0] - 0.5, axis[0] + 0.5};
  std::vector<double> borders = {1.5 * axis[0] - 0.5 * axis[1]};
  for (size_t i = 0; i + 1 < n; ++i) borders.push_back(0.5 * (axis[i] + axis[i + 1]));
  borders.push_back(1.5 * axis[n - 1] - 0.5 * axis[n - 2]);
  return borders;
}

size_t interval(const std::vector<double>& stops, double at) {
  const auto above = std::upper_bound(stops.begin() + 1, stops.end() - 1, at);
  return static_cast<size_t>(above - stops.begin()) - 1;
}

}  // namespace topograd::drawing
