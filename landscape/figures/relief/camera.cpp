#include "landscape/figures/relief/camera.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace topograd::drawing {

namespace {

constexpr double kDistance = 3.6;  // from the box's middle, in its half diagonals

Point3 minus(const Point3& a, const Point3& b) {
  return {a.x - b.x, a.y - b.y, a.z - b.z};
}

double dot(const Point3& a, const Point3& b) {
  return a.x * b.x + a.y * b.y + a.z * b.z;
}

Point3 cross(const Point3& a, const Point3& b) {
  return {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
}

Point3 normalised(const Point3& a) {
  const double length = std::sqrt(dot(a, a));
  return {a.x / length, a.y / length, a.z / length};
}

}  // namespace

Camera::Camera(const Point3& low, const Point3& high, double azimuth, double elevation,
               const Rect& area) {
  const Point3 middle{0.5 * (low.x + high.x), 0.5 * (low.y + high.y), 0.5 * (low.z + high.z)};
  const Point3 half = minus(high, middle);
  const double away = kDistance * std::sqrt(dot(half, half));
  const Point3 outwards{std::cos(elevation) * std::sin(azimuth),
                        -std::cos(elevation) * std::cos(azimuth), std::sin(elevation)};
  position_ = {middle.x + away * outwards.x, middle.y + away * outwards.y,
               middle.z + away * outwards.z};
  forward_ = {-outwards.x, -outwards.y, -outwards.z};
  right_ = {std::cos(azimuth), std::sin(azimuth), 0};
  up_ = normalised(cross(right_, forward_));

  double left = std::numeric_limits<double>::infinity(), top = left, right = -left, bottom = -left;
  for (int corner = 0; corner < 8; ++corner) {
    const Point p =
        see({corner & 1 ? high.x : low.x, corner & 2 ? high.y : low.y, corner & 4 ? high.z : low.z})
            .at;
    left = std::min(left, p.x), right = std::max(right, p.x);
    top = std::min(top, p.y), bottom = std::max(bottom, p.y);
  }
  scale_ = std::min(area.width / (right - left), area.height / (bottom - top));
  height_ = scale_ * (bottom - top);
  centre_ = {area.left + 0.5 * area.width - scale_ * 0.5 * (left + right),
             area.top + 0.5 * area.height - scale_ * 0.5 * (top + bottom)};
}

Seen Camera::see(const Point3& point) const {
  const Point3 way = minus(point, position_);
  const double depth = dot(way, forward_);
  return {
      {centre_.x + scale_ * dot(way, right_) / depth, centre_.y - scale_ * dot(way, up_) / depth},
      depth};
}

DepthBuffer::DepthBuffer(int width, int height)
    : width_(width),
      height_(height),
      pixels_(static_cast<size_t>(width) * static_cast<size_t>(height),
              {std::numeric_limits<float>::infinity(), 0, 0, 0}) {}

void DepthBuffer::add(const std::array<Corner, 3>& t) {
  const auto [least_x, most_x] = std::minmax({t[0].x, t[1].x, t[2].x});
  const auto [least_y, most_y] = std::minmax({t[0].y, t[1].y, t[2].y});
  const double area = (t[1].x - t[0].x) * (t[2].y - t[0].y) - (t[2].x - t[0].x) * (t[1].y - t[0].y);
  if (!(std::abs(area) > 0)) return;  // seen edge on
  const int x_end = std::min(width_, static_cast<int>(std::ceil(most_x)) + 1);
  const int y_end = std::min(height_, static_cast<int>(std::ceil(most_y)) + 1);
  for (int row = std::max(0, static_cast<int>(least_y)); row < y_end; ++row)
    for (int column = std::max(0, static_cast<int>(least_x)); column < x_end; ++column) {
      const double x = column + 0.5, y = row + 0.5;  // a pixel's middle decides
      const double b = ((x - t[0].x) * (t[2].y - t[0].y) - (t[2].x - t[0].x) * (y - t[0].y)) / area;
      const double c = ((t[1].x - t[0].x) * (y - t[0].y) - (x - t[0].x) * (t[1].y - t[0].y)) / area;
      const double a = 1 - b - c;
      if (!(a >= 0 && b >= 0 && c >= 0)) continue;
      const auto mix = [&](double Corner::*value) {
        return static_cast<float>(a * t[0].*value + b * t[1].*value + c * t[2].*value);
      };
      const float depth = mix(&Corner::depth);
      Pixel& pixel = pixels_[static_cast<size_t>(row) * static_cast<size_t>(width_) +
                             static_cast<size_t>(column)];
      if (depth < pixel.depth)
        pixel = {depth, mix(&Corner::fraction), mix(&Corner::brightness), mix(&Corner::gloss)};
    }
}

}  // namespace topograd::drawing
