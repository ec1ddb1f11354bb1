#include "data/synthetic_shapes.h"

#include <algorithm>
#include <cmath>

namespace topograd {

namespace {

float length(Point p) {
  return std::sqrt(p.x * p.x + p.y * p.y);
}
float dot(Point a, Point b) {
  return a.x * b.x + a.y * b.y;
}
float square(float extent, Point p) {
  return std::max(std::abs(p.x), std::abs(p.y)) - extent;
}

float disc(Point p) {
  return length(p) - 0.8f;
}
float ring(Point p) {
  return std::abs(length(p) - 0.72f) - 0.19f;
}
float full_square(Point p) {
  return square(0.68f, p);
}
float frame(Point p) {
  return std::abs(square(0.55f, p)) - 0.15f;
}

float triangle(Point p) {
  constexpr float kHalfSqrt3 = 0.8660254f;
  const float sides = std::max(dot(p, {kHalfSqrt3, 0.5f}), dot(p, {-kHalfSqrt3, 0.5f}));
  return std::max(sides, -p.y) - 0.5f;
}

float cross(Point p) {
  const Point q{std::abs(p.x), std::abs(p.y)};
  const float bar = 0.26f;
  return std::min(std::max(q.x - 0.92f, q.y - bar), std::max(q.x - bar, q.y - 0.92f));
}

/// Returns the distance to a star of five points: mirroring at two lines folds the plane onto one.
float star(Point p) {
  constexpr Point k1{0.809016994f, -0.587785252f};
  constexpr Point k2{-0.809016994f, -0.587785252f};
  p.x = std::abs(p.x);
  for (const Point k : {k1, k2}) {
    const float side = 2 * std::max(dot(k, p), 0.0f);
    p = {p.x - side * k.x, p.y - side * k.y};
  }
  const Point from_tip{std::abs(p.x), p.y - 1.0f};
  constexpr float kInner = 0.45f;  // how deep the dents are
  const Point edge{kInner * 0.587785252f, kInner * 0.809016994f - 1};
  const float along = std::clamp(dot(from_tip, edge) / dot(edge, edge), 0.0f, 1.0f);
  const Point off{from_tip.x - along * edge.x, from_tip.y - along * edge.y};
  const float sign = from_tip.y * edge.x - from_tip.x * edge.y > 0 ? 1.0f : -1.0f;
  return sign * length(off);
}

float crescent(Point p) {
  return std::max(length(p) - 0.85f, 0.68f - length({p.x - 0.45f, p.y}));
}

/// Returns the distance to the nearest of endless bars, half a period of 0.6 wide.
float bars(float x) {
  constexpr float kPeriod = 0.6f;
  const float phase = x / kPeriod - std::floor(x / kPeriod + 0.5f);  // in [-1/2, 1/2)
  return (std::abs(phase) - 0.25f) * kPeriod;
}

float stripes(Point p) {
  return std::max(square(0.7f, p), bars(p.x));
}

float checker(Point p) {
  // Inside exactly one family of bars: the product of the two signs.
  const float a = bars(p.x), b = bars(p.y);
  const float either = std::max(std::min(a, b), -std::max(a, b));
  return std::max(square(0.7f, p), either);
}

}  // namespace

float shape_distance(int label, Point p) {
  using Shape = float (*)(Point);
  constexpr Shape kShapes[] = {disc,  ring, full_square, frame,   triangle,
                               cross, star, crescent,    stripes, checker};
  return kShapes[label](p);
}

const std::vector<std::string>& shape_names() {
  static const std::vector<std::string> names{"disc",  "ring", "square",   "frame",   "triangle",
                                              "cross", "star", "crescent", "stripes", "checker"};
  return names;
}

}  // namespace topograd
