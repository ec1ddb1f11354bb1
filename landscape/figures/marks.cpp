// Marks over a field: theta*, the smallest value, holes.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

#include "kernels/core/check.h"
#include "landscape/figures/frame.h"
#include "landscape/figures/path.h"

namespace topograd::drawing {

namespace {

constexpr Colour kHoleGround{0.90, 0.90, 0.90};
constexpr Colour kHoleStroke{0.62, 0.62, 0.64};

std::optional<Point> origin(const Frame& frame) {
  const bool inside =
      frame.x_low <= 0 && frame.x_high >= 0 && frame.y_low <= 0 && frame.y_high >= 0;
  return inside ? std::optional(frame.at(0, 0)) : std::nullopt;
}

PlanePoint coordinates(const FieldView& field, size_t index) {
  return {field.x[index % field.x.size()], field.y[index / field.x.size()]};
}

/// Returns whether p is (0, 0) up to rounding, by which grids like -1, -0.96, ..., 1 miss 0.
bool is_origin(PlanePoint p) {
  return std::abs(p.x) < 1e-12 && std::abs(p.y) < 1e-12;
}

/// Returns the index of the smallest finite value; among equals (0, 0), else the first.
std::optional<size_t> minimum(const FieldView& field) {
  std::optional<size_t> best;
  for (size_t i = 0; i < field.values.size(); ++i) {
    if (!std::isfinite(field.values[i])) continue;
    const bool smaller = !best || field.values[i] < field.values[*best];
    const bool as_small = best && field.values[i] == field.values[*best];
    if (smaller || (as_small && is_origin(coordinates(field, i)))) best = i;
  }
  return best;
}

/// Returns the value at (0, 0), if that is a point of the grid and finite.
std::optional<double> value_at_origin(const FieldView& field) {
  for (size_t i = 0; i < field.values.size(); ++i) {
    if (is_origin(coordinates(field, i)) && std::isfinite(field.values[i])) return field.values[i];
  }
  return std::nullopt;
}

void draw_outlined(Canvas& canvas, const Polyline& shape, const Colour& colour) {
  canvas.stroke({shape}, {.colour = kWhite, .width = 2.4});
  canvas.fill({shape}, colour);
}

std::string counted(int64_t count, const std::string& what) {
  return text(count, count == 1 ? " point " : " points ", what);
}

std::string place_of(PlanePoint p) {
  return text("(", format_number(p.x, 3), ", ", format_number(p.y, 3), ")");
}

}  // namespace

Polyline disc(Point centre, double radius) {
  Polyline dot{{}, true};
  for (int i = 0; i < 16; ++i) {
    const double angle = std::numbers::pi * i / 8;
    dot.points.push_back(
        {centre.x + radius * std::cos(angle), centre.y + radius * std::sin(angle)});
  }
  return dot;
}

void draw_star(Canvas& canvas, Point centre) {
  Polyline star{{}, true};
  for (int i = 0; i < 10; ++i) {
    const double radius = i % 2 == 0 ? 6.5 : 2.7;
    const double angle = std::numbers::pi * (i / 5.0 - 0.5);
    star.points.push_back(
        {centre.x + radius * std::cos(angle), centre.y + radius * std::sin(angle)});
  }
  draw_outlined(canvas, star, {0.80, 0.05, 0.10});
}

void draw_diamond(Canvas& canvas, Point centre) {
  const double r = 4.6;
  draw_outlined(canvas,
                {{{centre.x, centre.y - r},
                  {centre.x + r, centre.y},
                  {centre.x, centre.y + r},
                  {centre.x - r, centre.y}},
                 true},
                kInk);
}

void draw_hole(Canvas& canvas, const std::vector<Polyline>& loops) {
  canvas.fill(loops, kHoleGround);
  canvas.hatch(loops, {.colour = kHoleStroke, .width = 0.7}, 5);
}

std::vector<Point> mark_positions(const Frame& frame, const FieldView& field) {
  std::vector<Point> marks;
  if (const auto centre = origin(frame)) marks.push_back(*centre);
  if (const auto lowest = minimum(field)) marks.push_back(frame.at(coordinates(field, *lowest)));
  return marks;
}

std::vector<Key> draw_marks(Canvas& canvas, const Frame& frame, const FieldView& field,
                            const ValueScale& scale, const FigureOptions& options,
                            const Colour& off_scale) {
  std::vector<Key> keys = draw_path(canvas, frame, options.marks);
  const Place place = [&](const PlanePoint& p) {
    return is_origin(p) ? origin(frame) : std::optional(frame.at(p));
  };
  const std::vector<Key> more = draw_extreme_marks(canvas, place, field, scale, options, off_scale);
  keys.insert(keys.end(), more.begin(), more.end());
  return keys;
}

std::vector<Key> draw_extreme_marks(Canvas& canvas, const Place& place, const FieldView& field,
                                    const ValueScale& scale, const FigureOptions& options,
                                    const Colour& off_scale) {
  std::vector<Key> keys;
  const std::string& name = options.marks.origin;
  const std::optional<Point> centre = place({0, 0});
  const std::optional<size_t> lowest = minimum(field);
  const std::string least = lowest ? format_number(field.values[*lowest], 4) : "";
  const PlanePoint where = lowest ? coordinates(field, *lowest) : PlanePoint{};
  const bool at_centre = lowest && is_origin(where);
  if (centre) {
    draw_star(canvas, *centre);
    const std::optional<double> value = value_at_origin(field);
    keys.push_back({draw_star, at_centre ? name + " and minimum: " + least
                               : value   ? name + ": " + format_number(*value, 4)
                                         : name});
  }
  if (const auto at = lowest && !at_centre ? place(where) : std::nullopt) {
    draw_diamond(canvas, *at);
    keys.push_back({draw_diamond, "minimum: " + least + " at " + place_of(where)});
  }
  const auto swatch = [](Point p) { return Rect{p.x - 6, p.y - 5, 12, 10}.outline(); };
  if (scale.above() > 0)
    keys.push_back({[=](Canvas& c, Point p) {
                      c.fill({swatch(p)}, off_scale);
                      c.stroke({swatch(p)}, {.colour = kInk, .width = 0.6});
                    },
                    counted(scale.above(), "off the scale")});
  if (scale.not_finite() > 0)
    keys.push_back({[=](Canvas& c, Point p) {
                      draw_hole(c, {swatch(p)});
                      c.stroke({swatch(p)}, {.colour = kInk, .width = 0.6});
                    },
                    counted(scale.not_finite(), "not finite")});
  return keys;
}

}  // namespace topograd::drawing
