#include "landscape/connectivity/barrier.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace topograd {

namespace {

/// The point of x that is `at`, up to rounding.
std::optional<size_t> point_at(const std::vector<double>& x, double at) {
  for (size_t i = 0; i < x.size(); ++i)
    if (std::abs(x[i] - at) <= 1e-12 * std::max(1.0, std::abs(at))) return i;
  return std::nullopt;
}

}  // namespace

std::optional<Barrier> barrier_between(const std::vector<double>& x,
                                       const std::vector<double>& losses, double begin,
                                       double end) {
  const std::optional<size_t> first = point_at(x, begin), last = point_at(x, end);
  if (!first || !last || losses.size() != x.size()) return std::nullopt;
  Barrier barrier{0, begin, losses[*first], losses[*last]};
  if (!std::isfinite(barrier.from) || !std::isfinite(barrier.to)) return std::nullopt;
  for (size_t i = *first; i <= *last; ++i) {
    const double share = (x[i] - begin) / (end - begin);
    const double rise = losses[i] - ((1 - share) * barrier.from + share * barrier.to);
    if (rise > barrier.height) barrier = {rise, x[i], barrier.from, barrier.to};
    if (!std::isfinite(losses[i]))
      return Barrier{std::numeric_limits<double>::infinity(), x[i], barrier.from, barrier.to};
  }
  return barrier;
}

}  // namespace topograd
