#include "landscape/figures/relief/relief.h"
#include "kernels/core/numbers.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace topograd::drawing {

namespace {

constexpr double kSkylight = 0.42;  // share of the light on level ground
constexpr double kBrightest = 1.4;  // brightness of a slope that faces the sun
constexpr double kPenumbra = 0.10;  // width of a shadow's edge, as tangent of the elevation
constexpr int kSkyDirections = 16;  // directions in which skylight is traced
constexpr double kGlossiness = 28;  // exponent of Blinn-Phong shading

/// Heights at places between the mesh's points, by the nearest one; NaN outside.
class Terrain {
 public:
  explicit Terrain(const HeightField& field) : field_(field) {
    const size_t nx = field.x.size(), ny = field.y.size();
    step_x_ = (field.x.back() - field.x.front()) / static_cast<double>(nx - 1);
    step_y_ = (field.y.back() - field.y.front()) / static_cast<double>(ny - 1);
  }

  double step() const { return std::max(step_x_, step_y_); }
  double reach() const {
    return std::hypot(field_.x.back() - field_.x.front(), field_.y.back() - field_.y.front());
  }

  /// Returns the tangent of the horizon's elevation, seen from a point in a direction.
  double horizon(size_t row, size_t column, double azimuth, double growth) const {
    const double dx = std::cos(azimuth), dy = std::sin(azimuth);
    const double x0 = field_.x[column], y0 = field_.y[row], z0 = field_.z[field_.at(row, column)];
    double highest = 0;
    double stride = step();
    for (double way = stride; way < reach(); way += stride, stride *= growth) {
      const double height = at(x0 + way * dx, y0 + way * dy);
      if (std::isnan(height)) continue;
      highest = std::max(highest, (height - z0) / way);
    }
    return highest;
  }

  /// Returns the upward normal, of length 1.
  Direction3 normal(size_t row, size_t column) const {
    const double a = slope(row, column, 0, 1, step_x_), b = slope(row, column, 1, 0, step_y_);
    const double length = std::sqrt(a * a + b * b + 1);
    return {-a / length, -b / length, 1 / length};
  }

 private:
  double at(double x, double y) const {
    const double i = (x - field_.x.front()) / step_x_, j = (y - field_.y.front()) / step_y_;
    const auto nx = static_cast<double>(field_.x.size()), ny = static_cast<double>(field_.y.size());
    if (!(i >= 0 && j >= 0 && i <= nx - 1 && j <= ny - 1)) return kNaN;
    return field_
        .z[field_.at(static_cast<size_t>(std::lround(j)), static_cast<size_t>(std::lround(i)))];
  }

  /// Returns the slope between the points before and behind, or between one and the point itself.
  double slope(size_t row, size_t column, int down, int right, double step) const {
    const auto neighbour = [&](int sign) {
      const auto r = static_cast<int64_t>(row) + sign * down;
      const auto c = static_cast<int64_t>(column) + sign * right;
      const bool inside = r >= 0 && c >= 0 && r < static_cast<int64_t>(field_.y.size()) &&
                          c < static_cast<int64_t>(field_.x.size());
      return inside ? field_.z[field_.at(static_cast<size_t>(r), static_cast<size_t>(c))] : kNaN;
    };
    const double here = field_.z[field_.at(row, column)];
    const double before = neighbour(-1), after = neighbour(1);
    if (!std::isnan(before) && !std::isnan(after)) return (after - before) / (2 * step);
    if (!std::isnan(after)) return (after - here) / step;
    return std::isnan(before) ? 0 : (here - before) / step;
  }

  const HeightField& field_;
  double step_x_ = 1;
  double step_y_ = 1;
};

double dot(const Direction3& a, const Direction3& b) {
  return a.x * b.x + a.y * b.y + a.z * b.z;
}

/// Returns 0 below `low`, 1 above `high`, smooth between them (smoothstep).
double smooth_step(double low, double high, double at) {
  const double t = std::clamp((at - low) / (high - low), 0.0, 1.0);
  return t * t * (3 - 2 * t);
}

/// Returns the share of the sky that is seen.
double open_sky(const Terrain& terrain, size_t row, size_t column) {
  double sum = 0;
  for (int k = 0; k < kSkyDirections; ++k) {
    const double tangent =
        terrain.horizon(row, column, 2 * std::numbers::pi * k / kSkyDirections, 1.6);
    sum += 1 - tangent / std::sqrt(1 + tangent * tangent);  // 1 - sin of the horizon's elevation
  }
  return sum / kSkyDirections;
}

}  // namespace

Lit lit(const HeightField& field, const Light& light, const Direction3& viewer) {
  const Terrain terrain(field);
  const Direction3 sun{std::cos(light.elevation) * std::cos(light.azimuth),
                       std::cos(light.elevation) * std::sin(light.azimuth),
                       std::sin(light.elevation)};
  Direction3 half{sun.x + viewer.x, sun.y + viewer.y, sun.z + viewer.z};
  const double length = std::sqrt(dot(half, half));
  half = {half.x / length, half.y / length, half.z / length};
  const double sun_tangent = std::tan(light.elevation);
  Lit result{std::vector<double>(field.z.size(), 0), std::vector<double>(field.z.size(), 0)};
  for (size_t row = 0; row < field.y.size(); ++row)
    for (size_t column = 0; column < field.x.size(); ++column) {
      const size_t i = field.at(row, column);
      if (std::isnan(field.z[i])) continue;
      const Direction3 normal = terrain.normal(row, column);
      const double horizon = terrain.horizon(row, column, light.azimuth, 1.0);
      const double sunlight =
          1 - smooth_step(sun_tangent - kPenumbra, sun_tangent + kPenumbra, horizon);
      const double facing = std::max(0.0, dot(normal, sun)) / sun.z;
      result.brightness[i] = std::min(kBrightest, kSkylight * open_sky(terrain, row, column) +
                                                      (1 - kSkylight) * facing * sunlight);
      result.gloss[i] = sunlight * std::pow(std::max(0.0, dot(normal, half)), kGlossiness);
    }
  return result;
}

}  // namespace topograd::drawing
