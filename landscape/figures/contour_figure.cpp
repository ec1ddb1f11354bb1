// The contour figure.
#include <algorithm>
#include <cmath>

#include "landscape/figures/figure.h"
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

/// Levels to draw and colours of the bands between them.
struct Bands {
  std::vector<double> levels;

  Bands(const ValueScale& scale, const FigureOptions& options)
      : levels(scale.levels(kLevels)), map_(options.colours), filled_(options.filled) {
    if (scale.empty()) levels.clear();
    // The edge of values off the scale is a line, though its number may not be round.
    if (scale.above() > 0 && (levels.empty() || levels.back() < scale.high()))
      levels.push_back(scale.high());
    edges_.push_back(0);
    for (double level : levels) edges_.push_back(scale.fraction(level));
    edges_.push_back(1);
  }

  /// Returns the colour of the band above levels[i - 1] (i = 0: below all levels).
  Colour colour(size_t i) const { return light_colour_at(map_, 0.5 * (edges_[i] + edges_[i + 1])); }
  /// Returns what is between the lines: the band's colour, or paper.
  Colour ground(size_t i) const { return filled_ ? colour(i) : Colour{1, 1, 1}; }
  Colour above_all() const { return light_off_scale(map_); }
  double line_width() const { return filled_ ? 0.9 : 1.2; }
  Colour line(double fraction) const {
    return mixed(colour_at(map_, fraction), {0, 0, 0}, filled_ ? 0.62 : 0.85);
  }
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

FieldView transformed(const FieldView& field, const ValueScale& scale) {
  FieldView result = field;
  for (double& value : result.values) value = scale.transformed(value);
  return result;
}

void fill_bands(Canvas& canvas, const Frame& frame, const FieldView& field, const ValueScale& scale,
                const Bands& bands) {
  canvas.clipped(frame.plot, [&] {
    canvas.fill({frame.plot.outline()}, bands.ground(0));
    for (size_t i = 0; i < bands.levels.size(); ++i) {
      const bool last = scale.above() > 0 && i + 1 == bands.levels.size();
      canvas.fill(frame.at(region_above(field, scale.transformed(bands.levels[i]))),
                  last ? bands.above_all() : bands.ground(i + 1));
    }
    draw_hole(canvas, frame.at(holes(field)));
  });
}

std::vector<ContourOnPage> lines_on_page(Canvas& canvas, const Frame& frame, const FieldView& field,
                                         const ValueScale& scale, const Bands& bands) {
  std::vector<ContourOnPage> lines;
  for (size_t i = 0; i < bands.levels.size(); ++i) {
    const double width = canvas.text_width(format_number(bands.levels[i], 4), {.size = kLabelSize});
    for (Polyline& line : frame.at(contour_lines(field, scale.transformed(bands.levels[i]))))
      lines.push_back({std::move(line), i, width});
  }
  return lines;
}

void draw_lines(Canvas& canvas, const Frame& frame, const FieldView& field, const ValueScale& scale,
                const Bands& bands, const FigureMarks& marks) {
  const std::vector<ContourOnPage> lines = lines_on_page(canvas, frame, field, scale, bands);
  std::vector<Obstacle> obstacles;
  for (const Point& mark : mark_positions(frame, field))
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
      const double at = scale.fraction(bands.levels[lines[i].level]);
      canvas.stroke(with_gaps(lines[i].line, own),
                    {.colour = bands.line(at), .width = bands.line_width()});
    }
  });
  for (const PlacedLabel& label : labels)
    canvas.text(label.centre, format_number(bands.levels[lines[label.line].level], 4),
                {.size = kLabelSize, .colour = kInk, .angle = label.angle});
}

}  // namespace

Figure contour_figure(const FieldView& given_field, const FigureOptions& given_options) {
  given_field.check();
  const DrawableField drawable = in_units(given_field, given_options);
  const FieldView& field = drawable.field;
  const FigureOptions& options = drawable.options;
  field.check();
  const ValueScale scale(field.values, options);
  const Bands bands(scale, options);
  const FieldLayout layout =
      field_layout(options, field.x.front(), field.x.back(), field.y.front(), field.y.back());
  const auto draw = [=, drawn = transformed(field, scale)](Canvas& canvas) {
    const FigureOptions& page = layout.page;
    const Frame& frame = layout.frame;
    draw_heading(canvas, page);
    fill_bands(canvas, frame, drawn, scale, bands);
    draw_lines(canvas, frame, drawn, scale, bands, page.marks);
    const std::vector<Key> keys = draw_marks(canvas, frame, field, scale, page, bands.above_all());
    draw_field_axes(canvas, frame, page);
    const auto paint = [&](double t) { return bands.at(t); };
    if (!scale.empty())
      draw_colour_bar(canvas, layout.bar, scale, bands.levels, page.value_label, paint,
                      bands.above_all());
    draw_caption(canvas, page, frame.plot.left + 0.5 * frame.plot.width, keys);
  };
  return {layout.page.width, layout.page.height, options.title, draw};
}

}  // namespace topograd
