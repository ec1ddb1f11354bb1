#include "landscape/figures/relief/relief_mesh.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "landscape/figures/fine_field.h"
#include "landscape/figures/frame.h"

namespace topograd::drawing {

namespace {

constexpr double kOnSurface = 0.012;  // depth in the relief at which a mark still lies on it

std::vector<double> even(double low, double high, int count) {
  std::vector<double> points;
  for (int i = 0; i < count; ++i)
    points.push_back(std::lerp(low, high, static_cast<double>(i) / (count - 1)));
  return points;
}

}  // namespace

ReliefMesh::ReliefMesh(const FieldView& field, const ValueScale& scale, double height, int points)
    : x_low_(field.x.front()),
      y_low_(field.y.front()),
      x_range_(field.x.back() - field.x.front()),
      y_range_(field.y.back() - field.y.front()) {
  const double ratio = y_range_ / x_range_;
  const bool even_units = ratio <= kMaxUneven && ratio >= 1 / kMaxUneven;
  box_ = {even_units ? std::min(1.0, 1 / ratio) : 1, even_units ? std::min(1.0, ratio) : 1, height};
  refine(field, scale, points);
}

bool ReliefMesh::is_open(const Point3& point, const Point3& camera) const {
  constexpr int kSteps = 400;
  for (int k = 1; k < kSteps; ++k) {
    // The box is at most a few half diagonals from the camera: the first half of the way leaves it.
    const double t = 0.5 * k / kSteps;
    const double x = std::lerp(point.x, camera.x, t), y = std::lerp(point.y, camera.y, t);
    const double z = std::lerp(point.z, camera.z, t);
    if (x < 0 || y < 0 || x > box_.x || y > box_.y || z > box_.z) return true;
    const double ground = height_at(x, y);
    if (ground > z + kOnSurface) return false;
  }
  return true;
}

Point3 ReliefMesh::on(const PlanePoint& p) const {
  const double x = box_.x * (p.x - x_low_) / x_range_, y = box_.y * (p.y - y_low_) / y_range_;
  if (!(x >= 0 && y >= 0 && x <= box_.x && y <= box_.y))
    return {x, y, std::numeric_limits<double>::quiet_NaN()};
  return {x, y, height_at(x, y)};
}

double ReliefMesh::height_at(double x, double y) const {
  const double i = x / box_.x * static_cast<double>(fine_.x.size() - 1);
  const double j = y / box_.y * static_cast<double>(fine_.y.size() - 1);
  return fine_
      .z[fine_.at(static_cast<size_t>(std::lround(j)), static_cast<size_t>(std::lround(i)))];
}

void ReliefMesh::refine(const FieldView& field, const ValueScale& scale, int points) {
  const double longer = std::max(box_.x, box_.y);
  const int nx = std::max(2, static_cast<int>(points * box_.x / longer));
  const int ny = std::max(2, static_cast<int>(points * box_.y / longer));
  const std::vector<double> x = even(field.x.front(), field.x.back(), nx);
  const std::vector<double> y = even(field.y.front(), field.y.back(), ny);
  fine_.x = even(0, box_.x, nx);
  fine_.y = even(0, box_.y, ny);
  const double low = scale.transformed(scale.low()), high = scale.transformed(scale.high());
  FieldView fractions = field;
  for (double& value : fractions.values) value = (scale.transformed(value) - low) / (high - low);
  fine_.fraction = resampled(fractions, x, y).values;
  for (double fraction : fine_.fraction)  // clamp would take NaN for a number
    fine_.z.push_back(std::isnan(fraction) ? fraction : box_.z * std::clamp(fraction, 0.0, 1.0));
}

}  // namespace topograd::drawing
