// The contour figure.
#include <algorithm>
#include <cmath>

#include "kernels/core/check.h"
#include "landscape/figures/figure.h"
#include "landscape/figures/fine_field.h"
#include "landscape/figures/frame.h"
#include "landscape/figures/labels.h"
#include "landscape/figures/path.h"
#include "landscape/figures/units.h"

namespace topograd {

using namespace drawing;

namespace {

constexpr double kLabelSize = 9;
constexpr double kMarkClearance = 8;  // px that labels keep from the star and the diamond
constexpr int kLevels = 11;

/// Returns the levels with one more, where it is missing, between the extreme that is marked and the
/// level next to it: the innermost band is the one that is looked at, and the widest of a bowl.
std::vector<double> with_innermost(std::vector<double> levels, const ValueScale& scale,
                                   bool largest) {
  if (levels.size() < 2) return levels;
  const double extreme = scale.transformed(largest ? scale.high() : scale.low());
  const double nearest = scale.transformed(largest ? levels.back() : levels[0]);
  const double next = scale.transformed(largest ? levels[levels.size() - 2] : levels[1]);
  if (std::abs(nearest - extreme) < 0.3 * std::abs(next - nearest)) return levels;
  const auto value_at = [&](double share) {
    const double at = std::lerp(extreme, nearest, share);
    return scale.scale() == Scale::log ? std::pow(10.0, at) : at;
  };
  const auto [low, high] = std::minmax({value_at(0.12), value_at(0.6)});
  // The number with the fewest digits near a third of the band.
  for (const int target : {1, 2, 4, 8})
    for (const double level : linear_levels(low, high, target)) {
      levels.insert(largest ? levels.end() : levels.begin(), level);
      return levels;
    }
  return levels;
}

/// Levels to draw and colours of the bands between them.
struct Bands {
  std::vector<double> levels;
  std::vector<std::string> labels;  ///< of the levels, in one form

  Bands(const ValueScale& scale, const FigureOptions& options)
      : levels(with_innermost(scale.levels(kLevels), scale, options.marks.largest)),
        map_(options.colours),
        filled_(options.filled) {
    if (scale.empty()) levels.clear();
    // The edge of values off the scale is a line, though its number may not be round.
    if (scale.above() > 0 && (levels.empty() || levels.back() < scale.high()))
      levels.push_back(scale.high());
    labels = level_labels(scale, levels);
    edges_.push_back(0);
    for (double level : levels) edges_.push_back(scale.fraction(level));
    edges_.push_back(1);
  }

  /// Returns the colour of the band above levels[i - 1] (i = 0: below all levels).
  Colour colour(size_t i) const { return colour_at(map_, 0.5 * (edges_[i] + edges_[i + 1])); }
  /// Returns what is between the lines: the band's colour, or paper.
  Colour ground(size_t i) const { return filled_ ? colour(i) : kWhite; }
  Colour above_all() const { return off_scale(map_); }
  double line_width() const { return filled_ ? 0.8 : 1.2; }
  /// Returns the colour of a level's line: lighter than dark bands, darker than light ones.
  Colour line(size_t level) const {
    const Colour own = colour_at(map_, edges_[level + 1]);
    if (!filled_) return mixed(own, {0, 0, 0}, 0.85);
    return mixed(own, ink_on(own), 0.45);
  }
  /// Returns the colour of a level's number, on the two bands beside its line.
  Colour label(size_t level) const { return ink_on(mixed(ground(level), ground(level + 1), 0.5)); }
  /// Returns the colour at a place of the scale.
  Colour at(double fraction) const {
    const auto above = std::upper_bound(edges_.begin() + 1, edges_.end() - 1, fraction);
    return colour(static_cast<size_t>(above - edges_.begin()) - 1);
  }

 private:
  ColourMap map_;
  bool filled_;
  std::vector<double> edges_;
};

/// Field that contours are drawn of: finer than the given one, on the scale's transform.
struct ContourField {
  FieldView fine;
  std::vector<Polyline> holes, to_do;
};

ContourField contour_field(const FieldView& field, const ValueScale& scale, size_t points) {
  FieldView transformed = field;
  for (double& value : transformed.values) value = scale.transformed(value);
  return {resampled(transformed, subdivided(field.x, points), subdivided(field.y, points)),
          holes(field), unfinished(field)};
}

void fill_bands(Canvas& canvas, const Frame& frame, const ContourField& drawn,
                const ValueScale& scale, const Bands& bands) {
  canvas.clipped(frame.plot, [&] {
    canvas.fill({frame.plot.outline()}, bands.ground(0));
    for (size_t i = 0; i < bands.levels.size(); ++i) {
      const bool last = scale.above() > 0 && i + 1 == bands.levels.size();
      canvas.fill(frame.at(region_above(drawn.fine, scale.transformed(bands.levels[i]))),
                  last ? bands.above_all() : bands.ground(i + 1));
    }
    draw_hole(canvas, frame.at(drawn.holes));
    draw_to_do(canvas, frame.at(drawn.to_do));
  });
}

std::vector<ContourOnPage> lines_on_page(Canvas& canvas, const Frame& frame, const FieldView& fine,
                                         const ValueScale& scale, const Bands& bands) {
  std::vector<ContourOnPage> lines;
  for (size_t i = 0; i < bands.levels.size(); ++i) {
    const double width = canvas.text_width(bands.labels[i], {.size = kLabelSize});
    for (Polyline& line : frame.at(contour_lines(fine, scale.transformed(bands.levels[i]))))
      lines.push_back({std::move(line), i, width});
  }
  return lines;
}

void draw_lines(Canvas& canvas, const Frame& frame, const FieldView& field,
                const ContourField& drawn, const ValueScale& scale, const Bands& bands,
                const FigureMarks& marks) {
  const std::vector<ContourOnPage> lines = lines_on_page(canvas, frame, drawn.fine, scale, bands);
  std::vector<Obstacle> obstacles;
  for (const Point& mark : mark_positions(frame, field, marks))
    obstacles.push_back({mark, mark, kMarkClearance});
  for (size_t i = 1; i < marks.path.size(); ++i)
    obstacles.push_back({frame.at(marks.path[i - 1]), frame.at(marks.path[i]), 3});
  for (const PlacedText& label : place_mark_labels(canvas, frame, marks))
    obstacles.push_back({{label.centre.x - 0.5 * label.width, label.centre.y},
                         {label.centre.x + 0.5 * label.width, label.centre.y},
                         kLabelSize});
  const std::vector<PlacedLabel> labels = place_labels(lines, frame.plot, kLabelSize, obstacles);
  canvas.clipped(frame.plot, [&] {
    for (size_t i = 0; i < lines.size(); ++i) {
      std::vector<PlacedLabel> own;
      for (const PlacedLabel& label : labels)
        if (label.line == i) own.push_back(label);
      canvas.stroke(with_gaps(lines[i].line, own),
                    {.colour = bands.line(lines[i].level), .width = bands.line_width()});
    }
  });
  for (const PlacedLabel& label : labels) {
    const size_t level = lines[label.line].level;
    canvas.text(label.centre, bands.labels[level],
                {.size = kLabelSize, .colour = bands.label(level), .angle = label.angle});
  }
}

}  // namespace

Figure contour_figure(const FieldView& given_field, const FigureOptions& given_options) {
  given_field.check();
  const DrawableField drawable = in_units(given_field, on_page(given_options));
  const FieldView& field = drawable.field;
  const FigureOptions& options = drawable.options;
  field.check();
  require(options.contour_points >= 2, "contours of ", options.contour_points,
          " points: choose 2 or more");
  const ValueScale scale(field.values, options);
  const Bands bands(scale, options);
  const FieldLayout layout =
      marked_layout(field, scale, options, bar_texts(scale, bands.levels),
                    {field.x.front(), field.x.back(), field.y.front(), field.y.back()});
  const auto draw = [=, drawn = contour_field(field, scale,
                                              static_cast<size_t>(options.contour_points))](
                        Canvas& canvas) {
    const FigureOptions& page = layout.page;
    const Frame& frame = layout.frame;
    draw_heading(canvas, page);
    fill_bands(canvas, frame, drawn, scale, bands);
    draw_lines(canvas, frame, field, drawn, scale, bands, page.marks);
    const std::vector<Key> keys = draw_marks(canvas, frame, field, scale, page, bands.above_all());
    draw_field_axes(canvas, frame, page);
    const auto paint = [&](double t) { return bands.at(t); };
    if (!scale.empty())
      draw_colour_bar(canvas, layout.bar, scale, bands.levels, page.value_label, paint,
                      bands.above_all());
    draw_caption(canvas, page, frame.plot.left + 0.5 * frame.plot.width, keys);
  };
  return enlarged(layout.page, given_options.title, data_of(given_field, given_options), draw);
}

}  // namespace topograd
