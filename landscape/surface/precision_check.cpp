#include "landscape/surface/precision_check.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "kernels/core/check.h"
#include "kernels/core/numbers.h"
#include "kernels/core/philox.h"

namespace topograd {

namespace {

int64_t nearest_to_zero(const std::vector<double>& axis) {
  const auto closer = [](double a, double b) { return std::abs(a) < std::abs(b); };
  return std::min_element(axis.begin(), axis.end(), closer) - axis.begin();
}

/// Returns the largest finite difference quotient to the next point in x and in y.
double slope(const Surface& surface, const std::vector<double>& values, int64_t ix, int64_t iy) {
  const double here = values[at(surface.index(ix, iy))];
  double steepest = 0;
  const auto look = [&](int64_t jx, int64_t jy, double distance) {
    const double rise = std::abs(values[at(surface.index(jx, jy))] - here) / std::abs(distance);
    if (std::isfinite(rise)) steepest = std::max(steepest, rise);
  };
  if (ix + 1 < surface.nx()) look(ix + 1, iy, surface.x()[at(ix + 1)] - surface.x()[at(ix)]);
  if (iy + 1 < surface.ny()) look(ix, iy + 1, surface.y()[at(iy + 1)] - surface.y()[at(iy)]);
  return steepest;
}

int64_t steepest_point(const Surface& surface, const std::vector<double>& values) {
  int64_t point = 0;
  double steepest = -1;
  for (int64_t iy = 0; iy < surface.ny(); ++iy)
    for (int64_t ix = 0; ix < surface.nx(); ++ix) {
      const double s = slope(surface, values, ix, iy);
      if (s > steepest) point = surface.index(ix, iy);
      steepest = std::max(steepest, s);
    }
  return point;
}

double difference(double a, double b) {
  if (a == b || (std::isnan(a) && std::isnan(b))) return 0;
  const double distance = std::abs(a - b);
  return std::isnan(distance) ? std::numeric_limits<double>::infinity() : distance;
}

}  // namespace

std::vector<int64_t> points_to_check(const Surface& surface, const std::string& plane,
                                     int64_t random) {
  const int64_t cx = nearest_to_zero(surface.x());
  const int64_t cy = surface.is_line() ? 0 : nearest_to_zero(surface.y());
  const int64_t right = surface.nx() - 1, top = surface.ny() - 1;
  std::set<int64_t> points{
      surface.index(cx, cy),     surface.index(0, 0),
      surface.index(right, 0),   surface.index(0, top),
      surface.index(right, top), steepest_point(surface, surface.plane(plane))};
  const Philox choice(0, RandomStream::shuffle);
  for (int64_t i = 0; i < random; ++i)
    points.insert(choice.below(static_cast<uint64_t>(i), static_cast<uint32_t>(surface.points())));
  return {points.begin(), points.end()};
}

PrecisionCheck compare_at(const std::vector<int64_t>& points, const Surface& surface,
                          const Surface& exact, const std::string& plane) {
  PrecisionCheck check{.points = static_cast<int64_t>(points.size())};
  std::vector<double> differences;
  for (int64_t point : points) {
    const double d = difference(surface.plane(plane)[at(point)], exact.plane(plane)[at(point)]);
    differences.push_back(d);
    if (check.where < 0 || d > check.largest) check.where = point;
    check.largest = std::max(check.largest, d);
  }
  if (differences.empty()) return check;
  const auto middle = differences.begin() + static_cast<int64_t>(differences.size() / 2);
  std::nth_element(differences.begin(), middle, differences.end());
  check.median = *middle;
  return check;
}

std::string PrecisionCheck::describe(const Surface& surface, const std::string& plane) const {
  std::string place = text(surface.x()[at(where % surface.nx())]);
  if (!surface.is_line()) place += text(", ", surface.y()[at(where / surface.nx())]);
  return text(points, " points again in f32: ", plane, " differs by up to ", largest, ", at (",
              place, "), by ", median, " in the median");
}

}  // namespace topograd
