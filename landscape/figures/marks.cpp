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
constexpr Colour kToDoGround{0.965, 0.965, 0.975};
constexpr Colour kToDoDots{0.66, 0.66, 0.72};
constexpr Colour kStar{0.80, 0.05, 0.10};

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

/// Returns the index of the extreme finite value; among equals (0, 0), else the first.
std::optional<size_t> extreme(const FieldView& field, bool largest) {
  std::optional<size_t> best;
  const double sign = largest ? -1 : 1;
  for (size_t i = 0; i < field.values.size(); ++i) {
    if (!std::isfinite(field.values[i])) continue;
    const bool further = !best || sign * field.values[i] < sign * field.values[*best];
    const bool as_far = best && field.values[i] == field.values[*best];
    if (further || (as_far && is_origin(coordinates(field, i)))) best = i;
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

namespace {

Polyline star_at(Point centre) {
  Polyline star{{}, true};
  for (int i = 0; i < 10; ++i) {
    const double radius = i % 2 == 0 ? 6.5 : 2.7;
    const double angle = std::numbers::pi * (i / 5.0 - 0.5);
    star.points.push_back(
        {centre.x + radius * std::cos(angle), centre.y + radius * std::sin(angle)});
  }
  return star;
}

Polyline diamond_at(Point centre) {
  const double r = 4.6;
  return {{{centre.x, centre.y - r},
           {centre.x + r, centre.y},
           {centre.x, centre.y + r},
           {centre.x - r, centre.y}},
          true};
}

/// Draws the outline of a mark that something hides.
void draw_hollow(Canvas& canvas, const Polyline& shape, const Colour& colour) {
  canvas.stroke({shape}, {.colour = kWhite, .width = 3});
  canvas.stroke({shape}, {.colour = colour, .width = 1.1});
}

/// Returns how a mark is drawn, in full or hollow.
std::function<void(Canvas&, Point)> mark_of(Polyline (*shape)(Point), const Colour& colour,
                                            bool hidden) {
  return [=](Canvas& canvas, Point centre) {
    (hidden ? draw_hollow : draw_outlined)(canvas, shape(centre), colour);
  };
}

}  // namespace

void draw_star(Canvas& canvas, Point centre) {
  draw_outlined(canvas, star_at(centre), kStar);
}

void draw_diamond(Canvas& canvas, Point centre) {
  draw_outlined(canvas, diamond_at(centre), kInk);
}

void draw_hole(Canvas& canvas, const std::vector<Polyline>& loops) {
  canvas.fill(loops, kHoleGround);
  canvas.hatch(loops, {.colour = kHoleStroke, .width = 0.7}, 5);
}

void draw_to_do(Canvas& canvas, const std::vector<Polyline>& loops) {
  canvas.fill(loops, kToDoGround);
  canvas.hatch(loops, {.colour = kToDoDots, .width = 1.3, .dashes = {1.3, 4.2}}, 4.5);
}

void add_gap_keys(std::vector<Key>& keys, int64_t not_finite, int64_t to_do) {
  const auto add = [&](void (*draw)(Canvas&, const std::vector<Polyline>&), int64_t count,
                       const std::string& words) {
    if (count == 0) return;
    keys.push_back({[draw](Canvas& c, Point p) {
                      const Polyline swatch = Rect{p.x - 6, p.y - 5, 12, 10}.outline();
                      draw(c, {swatch});
                      c.stroke({swatch}, {.colour = kInk, .width = 0.6});
                    },
                    counted(count, words)});
  };
  add(draw_hole, not_finite, "not finite");
  add(draw_to_do, to_do, "to do");
}

std::vector<Point> mark_positions(const Frame& frame, const FieldView& field,
                                  const FigureMarks& marks) {
  std::vector<Point> positions;
  if (const auto centre = origin(frame); centre && !marks.origin.empty())
    positions.push_back(*centre);
  if (const auto lowest = extreme(field, marks.largest))
    positions.push_back(frame.at(coordinates(field, *lowest)));
  return positions;
}

std::vector<Key> draw_marks(Canvas& canvas, const Frame& frame, const FieldView& field,
                            const ValueScale& scale, const FigureOptions& options,
                            const Colour& off_scale) {
  std::vector<Key> keys = draw_path(canvas, frame, options.marks);
  const Place place = [&](const PlanePoint& p) {
    const std::optional<Point> at = is_origin(p) ? origin(frame) : std::optional(frame.at(p));
    return at ? std::optional(Spot{*at}) : std::nullopt;
  };
  const std::vector<Key> more = draw_extreme_marks(canvas, place, field, scale, options, off_scale);
  keys.insert(keys.end(), more.begin(), more.end());
  return keys;
}

FieldLayout marked_layout(const FieldView& field, const ValueScale& scale,
                          const FigureOptions& options, const std::vector<std::string>& bar_labels,
                          const Ranges& ranges) {
  const auto with_rows = [&](size_t rows) {
    return field_layout(options, ranges.x_low, ranges.x_high, ranges.y_low, ranges.y_high,
                        bar_labels, rows);
  };
  TextBoxes canvas;
  size_t rows = 1;
  canvas.in_font(options.font, [&] {
    const std::vector<Key> keys =
        draw_marks(canvas, with_rows(1).frame, field, scale, options, kWhite);
    rows = caption_rows(canvas, options, keys).size();
  });
  return with_rows(rows);
}

FigureData data_of(const FieldView& field, const FigureOptions& options) {
  const auto name = [](const std::string& label, const char* otherwise) {
    return label.empty() ? otherwise : label.substr(0, label.find(" ("));
  };
  FigureData data{{{name(options.x_label, "x"), {}},
                   {name(options.y_label, "y"), {}},
                   {name(options.value_label, "value"), field.values}}};
  for (size_t i = 0; i < field.values.size(); ++i) {
    const PlanePoint at = coordinates(field, i);
    data.columns[0].values.push_back(at.x);
    data.columns[1].values.push_back(at.y);
  }
  return data;
}

std::vector<Key> draw_extreme_marks(Canvas& canvas, const Place& place, const FieldView& field,
                                    const ValueScale& scale, const FigureOptions& options,
                                    const Colour& off_scale) {
  std::vector<Key> keys;
  const std::string& name = options.marks.origin;
  const bool largest = options.marks.largest;
  const std::string extreme_name = largest ? "maximum" : "minimum";
  const std::optional<Spot> centre = name.empty() ? std::nullopt : place({0, 0});
  const std::optional<size_t> found = extreme(field, largest);
  const std::string value = found ? format_number(field.values[*found], 4) + options.unit : "";
  const PlanePoint where = found ? coordinates(field, *found) : PlanePoint{};
  const bool at_centre = centre && found && is_origin(where);
  const auto add = [&](Polyline (*shape)(Point), const Colour& colour, const Spot& spot,
                       const std::string& words) {
    const auto draw = mark_of(shape, colour, spot.hidden);
    draw(canvas, spot.at);
    keys.push_back({draw, spot.hidden ? words + " (behind the surface)" : words});
  };
  if (centre) {
    const std::optional<double> own = value_at_origin(field);
    add(star_at, kStar, *centre,
        at_centre ? name + " and " + extreme_name + ": " + value
        : own     ? name + ": " + format_number(*own, 4) + options.unit
                  : name);
  }
  if (const auto spot = found && !at_centre ? place(where) : std::nullopt)
    add(diamond_at, kInk, *spot, extreme_name + ": " + value + " at " + place_of(where));
  if (scale.above() > 0)
    keys.push_back({[=](Canvas& c, Point p) {
                      const Polyline swatch = Rect{p.x - 6, p.y - 5, 12, 10}.outline();
                      c.fill({swatch}, off_scale);
                      c.stroke({swatch}, {.colour = kInk, .width = 0.6});
                    },
                    counted(scale.above(), "off the scale")});
  const auto to_do = std::count(field.to_do.begin(), field.to_do.end(), 1);
  add_gap_keys(keys, scale.not_finite() - to_do, to_do);
  return keys;
}

}  // namespace topograd::drawing
