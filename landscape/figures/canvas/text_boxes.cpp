#include "landscape/figures/canvas/text_boxes.h"

#include <algorithm>
#include <cmath>

namespace topograd::drawing {

namespace {

/// Returns whether the side from `a` to `b` has all of a box beyond it.
bool separates(const Point& a, const Point& b, const TextBox& box, double inside) {
  constexpr double kTouching = 1e-6;
  return std::all_of(box.corners.begin(), box.corners.end(), [&](const Point& p) {
    const double side = (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x);
    return side * inside <= kTouching;
  });
}

/// Returns whether a side of `one` has all of `other` beyond it.
bool has_separating_side(const TextBox& one, const TextBox& other) {
  for (size_t i = 0; i < 4; ++i) {
    const Point &a = one.corners[i], &b = one.corners[(i + 1) % 4], &c = one.corners[(i + 2) % 4];
    const double inside = (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
    if (separates(a, b, other, inside)) return true;
  }
  return false;
}

}  // namespace

bool overlap(const TextBox& a, const TextBox& b) {
  // Convex shapes are apart if and only if a side of one of them parts them.
  return !has_separating_side(a, b) && !has_separating_side(b, a);
}

double TextBoxes::lowest() const {
  double y = 0;
  for (const TextBox& box : boxes_)
    for (const Point& corner : box.corners) y = std::max(y, corner.y);
  return y;
}

void TextBoxes::text(Point anchor, const std::string& words, const TextStyle& style) {
  if (words.empty()) return;
  const double width = text_width(words, style), height = kCapitalHeight * style.size;
  const double left = -style.align * width, cosine = std::cos(style.angle),
               sine = std::sin(style.angle);
  const auto at = [&](double x, double y) {
    return Point{origin_.x + factor_ * (anchor.x + cosine * x - sine * y),
                 origin_.y + factor_ * (anchor.y + sine * x + cosine * y)};
  };
  boxes_.push_back({{at(left, -0.5 * height), at(left + width, -0.5 * height),
                     at(left + width, 0.5 * height), at(left, 0.5 * height)},
                    words});
}

void TextBoxes::moved(Point origin, const std::function<void()>& draw) {
  const Point before = origin_;
  origin_ = {origin_.x + factor_ * origin.x, origin_.y + factor_ * origin.y};
  draw();
  origin_ = before;
}

void TextBoxes::scaled(double factor, const std::function<void()>& draw) {
  const double before = factor_;
  factor_ *= factor;
  draw();
  factor_ = before;
}

}  // namespace topograd::drawing
