// Curves over one axis: losses and accuracies along a line, densities, measures over epochs.
#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>

#include "kernels/core/check.h"
#include "kernels/core/numbers.h"
#include "landscape/figures/cells.h"
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
constexpr double kLeft = 76;       // px beside the plot, for an axis and its label
constexpr double kRightBare = 24;  // px beside the plot without an axis
constexpr double kNarrowRightBare = 12;
constexpr double kPxPerTick = 38;     // of the left axis
constexpr size_t kPointsMarked = 31;  // more points than this run together
constexpr double kDotRadius = 2.3;
constexpr double kLargeDotRadius = 3.6;  // of points without lines

/// Curve with its colour and dashes.
struct Drawn {
  const Series* series;
  Colour colour;
  bool dashed;
};

const std::vector<double>& places_of(const Series& series, const CurveView& curves) {
  return series.x.empty() ? curves.x : series.x;
}

void check_curves(const CurveView& curves) {
  require(curves.x.size() >= 2, "curves need at least 2 points, got ", curves.x.size());
  const auto require_increase = [](const std::vector<double>& x) {
    for (size_t i = 0; i < x.size(); ++i)
      require(std::isfinite(x[i]) && (i == 0 || x[i] > x[i - 1]),
              "the x of curves must be finite and increase, but x[", i, "] is ", x[i]);
  };
  require_increase(curves.x);
  for (const Series& series : curves.series) {
    require_increase(series.x);
    const size_t n = places_of(series, curves).size();
    const auto require_length = [&](const std::vector<double>& values, const char* what) {
      require(values.size() == n, "the curve ", series.name, " has ", values.size(), " ", what,
              " for ", n, " points");
    };
    if (!series.values.empty()) require_length(series.values, "values");
    if (!series.errors.empty()) require_length(series.errors, "errors");
    for (const auto& single : series.singles) require_length(single, "values of a single curve");
  }
  require(curves.to_do.empty() || curves.to_do.size() == curves.x.size(), "curves of ",
          curves.x.size(), " points say of ", curves.to_do.size(), " whether they are to do");
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
    } else if (series.style == Series::Style::coloured_dashed) {
      drawn.colour = kOwn[(std::max<size_t>(coloured, 1) - 1) % std::size(kOwn)];
      drawn.dashed = true;
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

void draw_series(Canvas& canvas, const Frame& frame, const CurveView& curves,
                 const std::vector<double>& y, const Drawn& drawn) {
  const std::vector<double>& x = places_of(*drawn.series, curves);
  const std::vector<Polyline> lines = pieces(frame, x, y);
  if (!curves.points_only) canvas.stroke(lines, pen_of(drawn));
  std::vector<Polyline> dots;
  for (const Polyline& line : lines)
    for (const Point& p : line.points)
      // A point between two gaps has no line to show it.
      if (x.size() <= kPointsMarked || line.points.size() == 1 || curves.points_only)
        dots.push_back(disc(p, curves.points_only ? kLargeDotRadius : kDotRadius));
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
  // A band of errors is whole, too; a logarithmic axis would follow it to nothing.
  for (const Series& series : curves.series)
    for (size_t i = 0; i < series.errors.size() && series.axis == Series::Axis::left; ++i) {
      const double upper = scale.transformed(series.values[i] + series.errors[i]);
      const double lower = scale.transformed(series.values[i] - series.errors[i]);
      if (upper > high && !options.level_max && scale.above() == 0) high = upper;
      if (lower < low && !options.level_min && scale.scale() == Scale::linear) low = lower;
    }
  const double room = 0.03 * (high - low);
  if (!options.level_min) low -= room;
  if (!options.level_max && scale.above() == 0) high += room;
  const double beside = curves.points_only ? 0.5 : 0;  // whole ranks, none of them on the edge
  return {plot, curves.x.front() - beside, curves.x.back() + beside, low, high};
}

Ticks left_ticks(const Frame& frame, const ValueScale& scale) {
  const int target = std::clamp(static_cast<int>(frame.plot.height / kPxPerTick), 2, 7);
  if (scale.scale() == Scale::linear)
    return linear_ticks(frame.y_low, frame.y_high, std::min(target, 6));
  const double low = std::pow(10.0, frame.y_low), high = std::pow(10.0, frame.y_high);
  const std::vector<double> levels = log_levels(low, high, target);
  Ticks ticks;
  ticks.labels = format_log_ticks(levels);
  for (double level : levels) ticks.major.push_back(std::log10(level));
  if (frame.y_high - frame.y_low > 9) return ticks;  // minor ticks would be a solid bar
  for (double decade = std::floor(frame.y_low); decade < frame.y_high; ++decade)
    for (int digit = 1; digit < 10; ++digit) {
      const double at = decade + std::log10(digit);
      if (at > frame.y_low && at < frame.y_high) ticks.minor.push_back(at);
    }
  return ticks;
}

void draw_grid(Canvas& canvas, const Frame& frame, const Ticks& loss,
               const std::vector<double>& guides) {
  std::vector<Polyline> lines;
  for (double y : loss.major)
    lines.push_back({{frame.at(frame.x_low, y), frame.at(frame.x_high, y)}, false});
  canvas.stroke(lines, {.colour = kGrid, .width = 0.8});
  for (const double x : guides)
    if (frame.x_low < x && x < frame.x_high)
      canvas.stroke({{{frame.at(x, frame.y_low), frame.at(x, frame.y_high)}, false}},
                    {.colour = {0.6, 0.6, 0.62}, .width = 0.9, .dashes = {2, 3}});
}

/// Points along x without a value of some curve.
struct Gaps {
  std::vector<bool> not_finite, to_do;
};

Gaps gaps_of(const CurveView& curves) {
  Gaps gaps{std::vector<bool>(curves.x.size()), std::vector<bool>(curves.x.size())};
  for (size_t i = 0; i < curves.x.size(); ++i) {
    gaps.to_do[i] = !curves.to_do.empty() && curves.to_do[i] != 0;
    for (const Series& series : curves.series)
      gaps.not_finite[i] =
          gaps.not_finite[i] || (!gaps.to_do[i] && series.x.empty() && !series.values.empty() &&
                                 !std::isfinite(series.values[i]));
  }
  return gaps;
}

/// Returns rectangles of the plot's height around the points that are so, one for each run.
std::vector<Polyline> strips(const Frame& frame, const std::vector<double>& x,
                             const std::vector<bool>& are) {
  const std::vector<double> borders = cell_borders(x);
  std::vector<Polyline> found;
  for (size_t begin = 0, end = 0; begin < x.size(); begin = end + 1) {
    for (end = begin; end < x.size() && are[end];) ++end;
    if (end == begin) continue;
    const double left = frame.at(borders[begin], 0).x, right = frame.at(borders[end], 0).x;
    found.push_back(Rect{left, frame.plot.top, right - left, frame.plot.height}.outline());
  }
  return found;
}

std::vector<Key> keys_of(const std::vector<Drawn>& all, const ValueScale& scale,
                         const CurveView& curves) {
  std::vector<Key> keys;
  bool errors = false;
  for (const Drawn& drawn : all) {
    errors = errors || !drawn.series->errors.empty();
    keys.push_back({[drawn, points = curves.points_only](Canvas& c, Point p) {
                      if (points)
                        c.fill({disc(p, kLargeDotRadius)}, drawn.colour);
                      else
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
                    "±1 " + curves.error_name});
  if (scale.above() > 0)
    keys.push_back(
        {[](Canvas& c, Point p) {
           c.fill({{{{p.x - 4, p.y + 3}, {p.x + 4, p.y + 3}, {p.x, p.y - 4}}, true}}, kBlue);
         },
         text(scale.above(), " above ", format_number(scale.high(), 4))});
  return keys;
}

/// Value that is marked, and the curve it belongs to.
struct Marked {
  const Drawn* drawn;
  size_t point;
};

std::optional<Marked> marked_value(const CurveView& curves, const std::vector<Drawn>& left,
                                   const std::vector<Drawn>& all) {
  if (curves.mark == CurveView::Extreme::none) return std::nullopt;
  const auto named = std::find_if(all.begin(), all.end(), [&](const Drawn& drawn) {
    return drawn.series->name == curves.marked;
  });
  const Drawn* drawn = named == all.end() ? nullptr : &*named;
  const bool coloured = std::any_of(left.begin(), left.end(), [](const Drawn& one) {
    return one.series->style == Series::Style::coloured;
  });
  if (!drawn && curves.marked.empty() && !left.empty() && !coloured) drawn = &left.front();
  if (!drawn) return std::nullopt;
  const double sign = curves.mark == CurveView::Extreme::largest ? -1 : 1;
  const std::vector<double>& values = drawn->series->values;
  std::optional<size_t> best;
  for (size_t i = 0; i < values.size(); ++i)
    if (std::isfinite(values[i]) && (!best || sign * values[i] < sign * values[*best])) best = i;
  return best ? std::optional(Marked{drawn, *best}) : std::nullopt;
}

Key key_of(const Marked& marked, const CurveView& curves, const FigureOptions& options) {
  const Series& series = *marked.drawn->series;
  const bool largest = curves.mark == CurveView::Extreme::largest;
  const std::string unit = series.axis == Series::Axis::right ? " %" : options.unit;
  return {draw_diamond, text(largest ? "highest " : "lowest ", series.name, ": ",
                             format_number(series.values[marked.point], 4), unit, " at ",
                             format_number(places_of(series, curves)[marked.point], 3))};
}

void draw_all(Canvas& canvas, const CurveView& curves, const FigureOptions& options,
              const ValueScale& scale) {
  const std::vector<Drawn> left = drawn_on(Series::Axis::left, curves);
  const std::vector<Drawn> right = drawn_on(Series::Axis::right, curves);
  std::vector<Drawn> all = left;
  all.insert(all.end(), right.begin(), right.end());
  const std::optional<Marked> marked = marked_value(curves, left, all);
  const Gaps gaps = gaps_of(curves);
  std::vector<Key> keys = keys_of(all, scale, curves);
  if (marked) keys.push_back(key_of(*marked, curves, options));
  add_gap_keys(keys, std::count(gaps.not_finite.begin(), gaps.not_finite.end(), true),
               std::count(gaps.to_do.begin(), gaps.to_do.end(), true));

  draw_heading(canvas, options);
  Rect plot{0, plot_top(options), 1, 0};
  plot.height = plot_bottom(options, caption_rows(canvas, options, keys).size()) - plot.top;
  const Ticks ticks =
      left.empty() ? Ticks{} : left_ticks(left_frame(plot, curves, scale, options), scale);
  const Ticks percents = linear_ticks(0, 100, 5);
  const bool roomy = options.width >= kRoomy;
  const auto room = [&](const std::vector<std::string>& labels) {
    return axis_room(canvas, options, kLeft, labels);
  };
  plot.left = room(ticks.labels);
  const double beside =
      right.empty() ? (roomy ? kRightBare : kNarrowRightBare) : room(percents.labels);
  plot.width = options.width - plot.left - beside;
  const Frame frame = left_frame(plot, curves, scale, options);
  const Frame percent{plot, frame.x_low, frame.x_high, -2, 102};
  const auto frame_of = [&](const Drawn& drawn) {
    return drawn.series->axis == Series::Axis::right ? percent : frame;
  };
  canvas.clipped(plot, [&] {
    draw_hole(canvas, strips(frame, curves.x, gaps.not_finite));
    draw_to_do(canvas, strips(frame, curves.x, gaps.to_do));
    draw_grid(canvas, frame, ticks, curves.guides);
    for (const Drawn& drawn : left)
      if (!drawn.series->errors.empty())
        draw_band(canvas, frame, places_of(*drawn.series, curves), drawn, scale);
    for (const Drawn& drawn : left)
      draw_singles(canvas, frame, places_of(*drawn.series, curves), drawn, scale);
  });
  draw_box(canvas, frame);
  // Dots at the ends of the axis are whole; lines do not leave it.
  const double beyond = 2 * kDotRadius;
  canvas.clipped(Rect{plot.left - beyond, plot.top, plot.width + 2 * beyond, plot.height}, [&] {
    for (const Drawn& drawn : right)
      draw_series(canvas, percent, curves, drawn.series->values, drawn);
    for (const Drawn& drawn : left)
      draw_series(canvas, frame, curves, transformed(drawn.series->values, scale), drawn);
  });
  if (marked) {
    const double value = marked->drawn->series->values[marked->point];
    const bool on_right = marked->drawn->series->axis == Series::Axis::right;
    draw_diamond(canvas, frame_of(*marked->drawn)
                             .at(places_of(*marked->drawn->series, curves)[marked->point],
                                 on_right ? value : scale.transformed(value)));
  }
  const bool whole =
      std::all_of(curves.x.begin(), curves.x.end(), [](double x) { return x == std::round(x); });
  draw_x_axis(canvas, frame, options.x_label, whole);
  const Colour& left_ink = right.empty() ? kInk : kBlue;
  if (!left.empty()) draw_y_axis(canvas, frame, ticks, options.y_label, true, left_ink);
  if (!right.empty()) draw_y_axis(canvas, percent, percents, "accuracy (%)", false, kRed);
  draw_caption(canvas, options, 0.5 * options.width, keys);
}

/// Returns the values at those of `all` places that are their own; NaN at the others.
std::vector<double> over(const std::vector<double>& all, const std::vector<double>& own,
                         const std::vector<double>& values) {
  std::vector<double> result;
  for (const double place : all) {
    const auto found = std::lower_bound(own.begin(), own.end(), place);
    result.push_back(found != own.end() && *found == place
                         ? values[static_cast<size_t>(found - own.begin())]
                         : kNaN);
  }
  return result;
}

FigureData data_of_curves(const CurveView& curves, const FigureOptions& options) {
  const std::string& label = options.x_label;
  FigureData data{{{label.empty() ? "x" : label.substr(0, label.find(" (")), curves.x}}};
  for (const Series& series : curves.series) {
    if (series.values.empty()) continue;
    const auto add = [&](const std::string& name, const std::vector<double>& values) {
      data.columns.push_back({name, over(curves.x, places_of(series, curves), values)});
    };
    add(series.name, series.values);
    if (!series.errors.empty()) add(series.name + ", " + curves.error_name, series.errors);
    for (size_t i = 0; i < series.singles.size(); ++i)
      add(text(series.name, ", ", i + 1), series.singles[i]);
  }
  return data;
}

}  // namespace

Figure curve_figure(const CurveView& given_curves, const FigureOptions& given_options) {
  check_curves(given_curves);
  const DrawableCurves drawable = in_units(given_curves, on_page(given_options));
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
  return enlarged(options, given_options.title, data_of_curves(given_curves, given_options),
                  [=](Canvas& canvas) { draw_all(canvas, curves, options, scale); });
}

}  // namespace topograd
