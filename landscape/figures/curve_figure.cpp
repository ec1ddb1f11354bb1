// Curves over one axis: losses and accuracies along a line, densities, measures over epochs.
#include <algorithm>
#include <cmath>
#include <iterator>

#include "kernels/core/check.h"
#include "landscape/figures/figure.h"
#include "landscape/figures/frame.h"
#include "landscape/figures/units.h"

namespace topograd {

using namespace drawing;

namespace {

constexpr Colour kBlue{0.12, 0.35, 0.66};
constexpr Colour kRed{0.77, 0.16, 0.16};
/// Colours of curves of Style::coloured, one after the other; further ones are dashed.
constexpr Colour kOwn[] = {{0.85, 0.45, 0.05}, {0.12, 0.52, 0.29}, {0.49, 0.23, 0.60}, kBlue, kRed};
constexpr Colour kGrid{0.91, 0.91, 0.92};
constexpr double kLeft = 76;          // px beside the plot, for an axis and its label
constexpr double kRightBare = 24;     // px beside the plot without an axis
constexpr size_t kPointsMarked = 31;  // more points than this run together

/// Curve with its colour and dashes.
struct Drawn {
  const Series* series;
  Colour colour;
  bool dashed;
};

void check_curves(const CurveView& curves) {
  const size_t n = curves.x.size();
  require(n >= 2, "curves need at least 2 points, got ", n);
  for (size_t i = 0; i < n; ++i)
    require(std::isfinite(curves.x[i]) && (i == 0 || curves.x[i] > curves.x[i - 1]),
            "the x of curves must be finite and increase, but x[", i, "] is ", curves.x[i]);
  for (const Series& series : curves.series) {
    const auto require_length = [&](const std::vector<double>& values, const char* what) {
      require(values.size() == n, "the curve ", series.name, " has ", values.size(), " ", what,
              " for ", n, " points");
    };
    if (!series.values.empty()) require_length(series.values, "values");
    if (!series.errors.empty()) require_length(series.errors, "errors");
    for (const auto& single : series.singles) require_length(single, "values of a single curve");
  }
}

std::vector<Drawn> drawn_on(Series::Axis axis, const CurveView& curves) {
  std::vector<Drawn> found;
  size_t coloured = 0;
  for (const Series& series : curves.series) {
    if (series.axis != axis || series.values.empty()) continue;
    Drawn drawn{&series, axis == Series::Axis::left ? kBlue : kRed,
                series.style == Series::Style::dashed};
    if (series.style == Series::Style::coloured) {
      drawn.colour = kOwn[coloured % std::size(kOwn)];
      drawn.dashed = coloured++ >= std::size(kOwn);
    }
    found.push_back(drawn);
  }
  return found;
}

/// Returns the longest stretches of finite values, mapped to the page.
std::vector<Polyline> pieces(const Frame& frame, const std::vector<double>& x,
                             const std::vector<double>& y) {
  std::vector<Polyline> found;
  bool open = false;
  for (size_t i = 0; i < x.size(); ++i) {
    if (!std::isfinite(y[i])) {
      open = false;
      continue;
    }
    if (!open) found.emplace_back();
    open = true;
    found.back().points.push_back(frame.at(x[i], y[i]));
  }
  return found;
}

std::vector<double> transformed(const std::vector<double>& values, const ValueScale& scale) {
  std::vector<double> result;
  for (double v : values) result.push_back(scale.transformed(v));
  return result;
}

/// Draws the band within one error.
void draw_band(Canvas& canvas, const Frame& frame, const std::vector<double>& x, const Drawn& drawn,
               const ValueScale& scale) {
  const Series& series = *drawn.series;
  std::vector<double> upper, lower;
  for (size_t i = 0; i < x.size(); ++i) {
    upper.push_back(scale.transformed(series.values[i] + series.errors[i]));
    // On a logarithmic axis a band down to 0 extends to the bottom.
    const double least = series.values[i] - series.errors[i];
    const bool bottom = scale.scale() == Scale::log && least <= 0 && std::isfinite(upper.back());
    lower.push_back(bottom ? frame.y_low : scale.transformed(least));
  }
  std::vector<Polyline> area = pieces(frame, x, upper);
  const std::vector<Polyline> back = pieces(frame, x, lower);  // finite where upper is
  for (size_t i = 0; i < area.size() && i < back.size(); ++i) {
    auto& points = area[i].points;
    points.insert(points.end(), back[i].points.rbegin(), back[i].points.rend());
    area[i].closed = true;
  }
  Colour tint = drawn.colour;
  tint.opacity = 0.18;
  canvas.fill(area, tint);
}

/// Draws the curves that a series is the mean of.
void draw_singles(Canvas& canvas, const Frame& frame, const std::vector<double>& x,
                  const Drawn& drawn, const ValueScale& scale) {
  Colour faint = drawn.colour;
  faint.opacity = 0.35;
  for (const std::vector<double>& single : drawn.series->singles)
    canvas.stroke(pieces(frame, x, transformed(single, scale)), {.colour = faint, .width = 0.7});
}

Pen pen_of(const Drawn& drawn) {
  return {.colour = drawn.colour,
          .width = 1.7,
          .dashes = drawn.dashed ? std::vector<double>{6, 3.5} : std::vector<double>{}};
}

void draw_series(Canvas& canvas, const Frame& frame, const std::vector<double>& x,
                 const std::vector<double>& y, const Drawn& drawn) {
  const std::vector<Polyline> lines = pieces(frame, x, y);
  canvas.stroke(lines, pen_of(drawn));
  std::vector<Polyline> dots;
  for (const Polyline& line : lines)
    for (const Point& p : line.points)
      // A point between two gaps has no line to show it.
      if (x.size() <= kPointsMarked || line.points.size() == 1) dots.push_back(disc(p, 2.3));
  canvas.fill(dots, drawn.dashed ? Colour{1, 1, 1} : drawn.colour);
  if (drawn.dashed) canvas.stroke(dots, {.colour = drawn.colour, .width = 1});
}

/// Returns the left axis's range: a little more than the values', and from 0 where that is near.
Frame left_frame(const Rect& plot, const CurveView& curves, const ValueScale& scale,
                 const FigureOptions& options) {
  double low = scale.transformed(scale.low());
  double high = scale.transformed(scale.high());
  const bool from_zero = scale.scale() == Scale::linear && low >= 0 && low < 0.35 * high;
  if (from_zero && !options.level_min) low = 0;
  const double room = 0.03 * (high - low);
  if (!options.level_min) low -= room;
  if (!options.level_max && scale.above() == 0) high += room;
  return {plot, curves.x.front(), curves.x.back(), low, high};
}

Ticks left_ticks(const Frame& frame, const ValueScale& scale) {
  if (scale.scale() == Scale::linear) return linear_ticks(frame.y_low, frame.y_high, 6);
  Ticks ticks;
  const double low = std::pow(10.0, frame.y_low), high = std::pow(10.0, frame.y_high);
  for (double level : log_levels(low, high, 7)) {
    ticks.major.push_back(std::log10(level));
    ticks.labels.push_back(format_number(level));
  }
  if (frame.y_high - frame.y_low > 9) return ticks;  // minor ticks would be a solid bar
  for (double decade = std::floor(frame.y_low); decade < frame.y_high; ++decade)
    for (int digit = 1; digit < 10; ++digit) {
      const double at = decade + std::log10(digit);
      if (at > frame.y_low && at < frame.y_high) ticks.minor.push_back(at);
    }
  return ticks;
}

void draw_grid(Canvas& canvas, const Frame& frame, const Ticks& loss) {
  std::vector<Polyline> lines;
  for (double y : loss.major)
    lines.push_back({{frame.at(frame.x_low, y), frame.at(frame.x_high, y)}, false});
  canvas.stroke(lines, {.colour = kGrid, .width = 0.8});
  if (!(frame.x_low < 0 && frame.x_high > 0)) return;
  canvas.stroke({{{frame.at(0, frame.y_low), frame.at(0, frame.y_high)}, false}},
                {.colour = {0.6, 0.6, 0.62}, .width = 0.9, .dashes = {2, 3}});
}

std::vector<Key> keys_of(const std::vector<Drawn>& all, const ValueScale& scale,
                         const std::string& error_name) {
  std::vector<Key> keys;
  bool errors = false;
  for (const Drawn& drawn : all) {
    errors = errors || !drawn.series->errors.empty();
    keys.push_back({[drawn](Canvas& c, Point p) {
                      c.stroke({{{{p.x - 8, p.y}, {p.x + 8, p.y}}, false}}, pen_of(drawn));
                    },
                    drawn.series->name});
  }
  if (errors)
    keys.push_back({[](Canvas& c, Point p) {
                      Colour tint = kBlue;
                      tint.opacity = 0.18;
                      c.fill({Rect{p.x - 7, p.y - 5, 14, 10}.outline()}, tint);
                    },
                    "±1 " + error_name});
  if (scale.above() > 0)
    keys.push_back(
        {[](Canvas& c, Point p) {
           c.fill({{{{p.x - 4, p.y + 3}, {p.x + 4, p.y + 3}, {p.x, p.y - 4}}, true}}, kBlue);
         },
         text(scale.above(), " above ", format_number(scale.high(), 4))});
  return keys;
}

/// Draws the diamond at the smallest value of a series; returns its key.
void mark_minimum(Canvas& canvas, const Frame& frame, const std::vector<double>& x,
                  const Drawn& drawn, const ValueScale& scale, std::vector<Key>& keys) {
  const std::vector<double>& values = drawn.series->values;
  size_t best = values.size();
  for (size_t i = 0; i < values.size(); ++i)
    if (std::isfinite(values[i]) && (best == values.size() || values[i] < values[best])) best = i;
  if (best == values.size()) return;
  draw_diamond(canvas, frame.at(x[best], scale.transformed(values[best])));
  keys.push_back({draw_diamond, text("minimum ", format_number(values[best], 4), " at ",
                                     format_number(x[best], 3))});
}

void draw_all(Canvas& canvas, const CurveView& curves, const FigureOptions& options,
              const ValueScale& scale) {
  const std::vector<Drawn> left = drawn_on(Series::Axis::left, curves);
  const std::vector<Drawn> right = drawn_on(Series::Axis::right, curves);
  draw_heading(canvas, options);
  const double beside = right.empty() ? kRightBare : kLeft;
  const Rect plot{kLeft, plot_top(options), options.width - kLeft - beside,
                  plot_bottom(options) - plot_top(options)};
  const Frame frame = left_frame(plot, curves, scale, options);
  const Ticks ticks = left.empty() ? Ticks{} : left_ticks(frame, scale);
  draw_grid(canvas, frame, ticks);
  const Frame percent{plot, frame.x_low, frame.x_high, -2, 102};
  canvas.clipped(plot, [&] {
    for (const Drawn& drawn : left)
      if (!drawn.series->errors.empty()) draw_band(canvas, frame, curves.x, drawn, scale);
    for (const Drawn& drawn : left) draw_singles(canvas, frame, curves.x, drawn, scale);
    for (const Drawn& drawn : right)
      draw_series(canvas, percent, curves.x, drawn.series->values, drawn);
    for (const Drawn& drawn : left)
      draw_series(canvas, frame, curves.x, transformed(drawn.series->values, scale), drawn);
  });
  std::vector<Drawn> all = left;
  all.insert(all.end(), right.begin(), right.end());
  std::vector<Key> keys = keys_of(all, scale, curves.error_name);
  const bool coloured = std::any_of(left.begin(), left.end(), [](const Drawn& drawn) {
    return drawn.series->style == Series::Style::coloured;
  });
  if (!left.empty() && !coloured && curves.mark_minimum)
    mark_minimum(canvas, frame, curves.x, left.front(), scale, keys);
  draw_x_axis(canvas, frame, options.x_label);
  if (!left.empty()) draw_y_axis(canvas, frame, ticks, options.y_label, true, kBlue);
  if (!right.empty())
    draw_y_axis(canvas, percent, linear_ticks(0, 100, 5), "accuracy (%)", false, kRed);
  draw_box(canvas, frame);
  draw_caption(canvas, options, 0.5 * options.width, keys);
}

}  // namespace

Figure curve_figure(const CurveView& given_curves, const FigureOptions& given_options) {
  check_curves(given_curves);
  const DrawableCurves drawable = in_units(given_curves, given_options);
  const CurveView& curves = drawable.curves;
  const FigureOptions& options = drawable.options;
  check_curves(curves);
  std::vector<double> values;
  const auto gather = [&](const std::vector<double>& more) {
    values.insert(values.end(), more.begin(), more.end());
  };
  for (const Drawn& drawn : drawn_on(Series::Axis::left, curves)) gather(drawn.series->values);
  for (const Drawn& drawn : drawn_on(Series::Axis::left, curves))
    for (const std::vector<double>& single : drawn.series->singles) gather(single);
  const ValueScale scale(values, options);
  return {options.width, options.height, options.title,
          [=](Canvas& canvas) { draw_all(canvas, curves, options, scale); }};
}

}  // namespace topograd
