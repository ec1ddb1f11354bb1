#include "landscape/surface/barrier.h"
#include "kernels/core/numbers.h"

#include <algorithm>
#include <cmath>

namespace topograd {

namespace {

/// Returns the index of the point of x that equals `at` up to rounding.
std::optional<size_t> point_at(const std::vector<double>& x, double at) {
  for (size_t i = 0; i < x.size(); ++i)
    if (std::abs(x[i] - at) <= 1e-12 * std::max(1.0, std::abs(at))) return i;
  return std::nullopt;
}

}  // namespace

std::optional<Barrier> barrier_between(const std::vector<double>& x,
                                       const std::vector<double>& values, double begin,
                                       double end) {
  const std::optional<size_t> first = point_at(x, begin), last = point_at(x, end);
  if (!first || !last || values.size() != x.size()) return std::nullopt;
  Barrier barrier{0, begin, values[*first], values[*last]};
  for (const size_t i : {*first, *last})
    if (!std::isfinite(values[i])) return Barrier{kNaN, x[i], barrier.from, barrier.to};
  for (size_t i = *first; i <= *last; ++i) {
    const double share = (x[i] - begin) / (end - begin);
    const double rise = values[i] - ((1 - share) * barrier.from + share * barrier.to);
    if (std::isinf(rise) && rise > 0) return Barrier{rise, x[i], barrier.from, barrier.to};
    // A NaN height stays: no comparison with it holds.
    if (rise > barrier.height || (std::isnan(rise) && !std::isnan(barrier.height)))
      barrier = {rise, x[i], barrier.from, barrier.to};
  }
  return barrier;
}

}  // namespace topograd
