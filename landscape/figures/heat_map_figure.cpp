// The heat map.
#include <algorithm>
#include <cmath>

#include "landscape/figures/cells.h"
#include "landscape/figures/figure.h"
#include "landscape/figures/fine_field.h"
#include "landscape/figures/frame.h"
#include "landscape/figures/units.h"

namespace topograd {

using namespace drawing;

namespace {

constexpr int kBarTicks = 9;

/// Values at places of the plane, on the scale's transform.
class Sampler {
 public:
  Sampler(const FieldView& field, const ValueScale& scale, bool interpolate)
      : field_(field),
        interpolate_(interpolate),
        x_stops_(interpolate ? field.x : cell_borders(field.x)),
        y_stops_(interpolate ? field.y : cell_borders(field.y)) {
    for (double& value : field_.values) value = scale.transformed(value);
  }

  const std::vector<double>& x_stops() const { return x_stops_; }
  const std::vector<double>& y_stops() const { return y_stops_; }

  double at(double x, double y) const {
    const size_t i = interval(x_stops_, x);
    const size_t j = interval(y_stops_, y);
    if (!interpolate_) return field_.at(j, i);
    const double s = (x - x_stops_[i]) / (x_stops_[i + 1] - x_stops_[i]);
    const double t = (y - y_stops_[j]) / (y_stops_[j + 1] - y_stops_[j]);
    return std::lerp(std::lerp(field_.at(j, i), field_.at(j, i + 1), s),
                     std::lerp(field_.at(j + 1, i), field_.at(j + 1, i + 1), s), t);
  }

 private:
  FieldView field_;
  bool interpolate_;
  std::vector<double> x_stops_;
  std::vector<double> y_stops_;
};

/// Returns the cells that belong to points to do; with interpolation, those with a corner to do.
std::vector<Polyline> unfinished_cells(const FieldView& field, const Sampler& sampler,
                                       bool interpolate) {
  if (field.to_do.empty()) return {};
  if (interpolate) return unfinished(field);
  std::vector<Polyline> cells;
  const std::vector<double>&x = sampler.x_stops(), &y = sampler.y_stops();
  for (size_t j = 0; j < field.y.size(); ++j)
    for (size_t i = 0; i < field.x.size(); ++i)
      if (field.is_to_do(j * field.x.size() + i))
        cells.push_back(
            {{{x[i], y[j]}, {x[i + 1], y[j]}, {x[i + 1], y[j + 1]}, {x[i], y[j + 1]}}, true});
  return cells;
}

/// Colours of a scale's transformed values, of all or in so many steps; none where there is no number.
class FieldColours {
 public:
  FieldColours(const ValueScale& scale, ColourMap map, int steps = 0)
      : map_(map),
        steps_(steps),
        low_(scale.transformed(scale.low())),
        high_(scale.transformed(scale.high())),
        off_scale_(scale.above() > 0) {}

  Colour at(double value) const {
    if (std::isnan(value)) return {0, 0, 0, 0};
    if (off_scale_ && value > high_) return off_scale(map_);
    const double place = std::clamp((value - low_) / (high_ - low_), 0.0, 1.0);
    return colour_at(map_, steps_ == 0 ? place : std::round(place * steps_) / steps_);
  }

 private:
  ColourMap map_;
  int steps_;
  double low_, high_;
  bool off_scale_;
};

/// Returns the centres of the intervals between stops.
std::vector<double> centres(const std::vector<double>& stops) {
  std::vector<double> middles;
  for (size_t i = 0; i + 1 < stops.size(); ++i) middles.push_back(0.5 * (stops[i] + stops[i + 1]));
  return middles;
}

/// Draws a rectangle for each cell; of an interpolated field, about a hundred along each axis.
void draw_tiles(Canvas& canvas, const Frame& frame, const Sampler& sampler, const ValueScale& scale,
                const FigureOptions& options) {
  constexpr size_t kTiles = 96;
  std::vector<double> x = sampler.x_stops(), y = sampler.y_stops();
  if (options.interpolate) x = subdivided(x, kTiles), y = subdivided(y, kTiles);
  Tiles tiles;
  for (const double stop : x) tiles.x.push_back(frame.at(stop, 0).x);
  std::reverse(y.begin(), y.end());
  for (const double stop : y) tiles.y.push_back(frame.at(0, stop).y);
  const FieldColours colours(scale, options.colours, kColoursOfShapes);
  for (const double row : centres(y))
    for (const double column : centres(x))
      tiles.colours.push_back(colours.at(sampler.at(column, row)));
  canvas.tiles(tiles);
}

/// Draws pixels over the frame's plot.
void draw_pixels(Canvas& canvas, const Frame& frame, const Sampler& sampler,
                 const ValueScale& scale, const FigureOptions& options) {
  const double pixels_per_px = image_pixels(options);
  const int width = static_cast<int>(std::ceil(pixels_per_px * frame.plot.width));
  const int height = static_cast<int>(std::ceil(pixels_per_px * frame.plot.height));
  const FieldColours colours(scale, options.colours);
  std::vector<uint32_t> pixels;
  pixels.reserve(static_cast<size_t>(width) * static_cast<size_t>(height));
  for (int row = 0; row < height; ++row) {
    const double y = std::lerp(frame.y_high, frame.y_low, (row + 0.5) / height);
    for (int column = 0; column < width; ++column) {
      const double x = std::lerp(frame.x_low, frame.x_high, (column + 0.5) / width);
      pixels.push_back(packed(colours.at(sampler.at(x, y))));
    }
  }
  canvas.image(frame.plot, width, height, pixels);
}

}  // namespace

Figure heat_map_figure(const FieldView& given_field, const FigureOptions& given_options) {
  given_field.check();
  const DrawableField drawable = in_units(given_field, on_page(given_options));
  const FieldView& field = drawable.field;
  const FigureOptions& options = drawable.options;
  field.check();
  const ValueScale scale(field.values, options);
  const Sampler sampler(field, scale, options.interpolate);
  const std::vector<double> ticks = scale.levels(kBarTicks);
  const FieldLayout layout = marked_layout(field, scale, options, bar_texts(scale, ticks),
                                           {sampler.x_stops().front(), sampler.x_stops().back(),
                                            sampler.y_stops().front(), sampler.y_stops().back()});
  const std::vector<Polyline> to_do = unfinished_cells(field, sampler, options.interpolate);
  const auto draw = [=](Canvas& canvas) {
    const FigureOptions& page = layout.page;
    const Frame& frame = layout.frame;
    draw_heading(canvas, page);
    if (scale.not_finite() > 0) draw_hole(canvas, {frame.plot.outline()});
    draw_to_do(canvas, frame.at(to_do));
    if (canvas.fields() == Fields::pixels) draw_pixels(canvas, frame, sampler, scale, page);
    if (canvas.fields() == Fields::shapes) draw_tiles(canvas, frame, sampler, scale, page);
    const std::vector<Key> keys =
        draw_marks(canvas, frame, field, scale, page, off_scale(page.colours));
    draw_field_axes(canvas, frame, page);
    const auto paint = [&](double t) { return colour_at(page.colours, t); };
    if (!scale.empty())
      draw_colour_bar(canvas, layout.bar, scale, ticks, page.value_label, paint,
                      off_scale(page.colours));
    draw_caption(canvas, page, frame.plot.left + 0.5 * frame.plot.width, keys);
  };
  return enlarged(layout.page, given_options.title, data_of(given_field, given_options), draw);
}

}  // namespace topograd
