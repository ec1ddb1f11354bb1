#include "landscape/surface/surface_comparison.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/core/check.h"

namespace topograd {

namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

using Values = std::vector<double>;

PlaneSummary summary_of(const Values& values, const std::vector<size_t>& points) {
  if (points.empty()) return {kNone, kNone, kNone};
  PlaneSummary summary{values[points.front()], values[points.front()], 0};
  for (size_t i : points) {
    summary.min = std::min(summary.min, values[i]);
    summary.max = std::max(summary.max, values[i]);
    summary.mean += values[i];
  }
  summary.mean /= static_cast<double>(points.size());
  return summary;
}

/// Of difference(i) over the points; one that is no number is passed over.
template <class Difference>
LargestDifference largest(const std::vector<size_t>& points, Difference difference) {
  LargestDifference found;
  for (size_t i : points) {
    const double value = difference(i);
    if (std::isfinite(value) && (found.point < 0 || value > found.value))
      found = {value, static_cast<int64_t>(i)};
  }
  return found;
}

double correlation_of(const Values& a, const Values& b, const PlaneSummary& of_a,
                      const PlaneSummary& of_b, const std::vector<size_t>& points) {
  double ab = 0, aa = 0, bb = 0;
  for (size_t i : points) {
    const double da = a[i] - of_a.mean, db = b[i] - of_b.mean;
    ab += da * db;
    aa += da * da;
    bb += db * db;
  }
  return aa > 0 && bb > 0 ? ab / (std::sqrt(aa) * std::sqrt(bb)) : kNone;
}

PlaneComparison compare_plane(const std::string& name, const Surface& a, const Surface& b) {
  const Values &va = a.plane(name), &vb = b.plane(name);
  PlaneComparison result;
  result.name = name;
  std::vector<size_t> points;
  for (int64_t point = 0; point < a.points(); ++point) {
    const size_t i = static_cast<size_t>(point);
    if (!a.done(point) || !b.done(point)) continue;
    if (std::isfinite(va[i]) && std::isfinite(vb[i]))
      points.push_back(i);
    else
      ++result.not_finite;
  }
  result.points = static_cast<int64_t>(points.size());
  result.a = summary_of(va, points);
  result.b = summary_of(vb, points);
  const auto difference = [&](size_t i) { return std::abs(vb[i] - va[i]); };
  result.absolute = largest(points, difference);
  // 0 / 0 and x / 0 are passed over.
  result.relative = largest(points, [&](size_t i) { return difference(i) / std::abs(va[i]); });
  const std::string errors = name + "_se";
  if (a.has_plane(errors) && b.has_plane(errors)) {
    const Values &ea = a.plane(errors), &eb = b.plane(errors);
    result.standard_errors =
        largest(points, [&](size_t i) { return difference(i) / std::hypot(ea[i], eb[i]); });
  }
  result.correlation = correlation_of(va, vb, result.a, result.b, points);
  return result;
}

}  // namespace

std::vector<PlaneComparison> compare_surfaces(const Surface& a, const Surface& b) {
  require(a.same_points(b), "surfaces on different points cannot be compared");
  std::vector<PlaneComparison> comparisons;
  for (const auto& [name, values] : a.planes())
    if (b.has_plane(name)) comparisons.push_back(compare_plane(name, a, b));
  return comparisons;
}

}  // namespace topograd
