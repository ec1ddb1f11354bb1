#include "landscape/figures/frame.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace topograd::drawing {

namespace {

constexpr double kMargin = 14;     // px, clear at the page's left and right
constexpr double kAxisSpace = 72;  // left of the plot: tick labels and the axis's label
constexpr double kBarGap = 20;
constexpr double kBarWidth = 17;
constexpr double kBarSpace = 84;  // right of the bar: its labels
constexpr double kTick = 5;
constexpr double kTickEvery = 50;  // px
constexpr double kNoteHeight = 19;
constexpr int kLowestPage = 300;
constexpr double kSwatch = 14;  // height of the swatch for values above the bar
constexpr double kSwatchGap = 6;
constexpr double kBelow = 11;           // height of the arrow for values below the bar
constexpr double kShortestLabel = 190;  // px that an axis's label may take beside a short axis

double widest(Canvas& canvas, const std::vector<std::string>& labels) {
  double width = 0;
  for (const std::string& label : labels)
    width = std::max(width, canvas.text_width(label, {.size = kTickSize}));
  return width;
}

/// Draws the swatch on top of a colour bar and its text; returns the text's width.
double draw_off_scale(Canvas& canvas, const Rect& bar, double text_left, const ValueScale& scale,
                      const Colour& colour) {
  const Rect swatch{bar.left, bar.top, bar.width, kSwatch};
  canvas.fill({swatch.outline()}, colour);
  canvas.stroke({swatch.outline()}, {.colour = kInk, .width = 0.8});
  const TextStyle style{.size = kTickSize, .colour = kInk, .align = 0};
  const double room = kBarSpace - kTick - 6;
  std::string words = "> " + format_number(scale.high());
  for (int digits = 5; digits > 2 && canvas.text_width(words, style) > room; --digits)
    words = "> " + format_number(scale.high(), digits);  // rounded, never cut short
  canvas.text({text_left, bar.top + 0.5 * kSwatch}, words, style);
  return canvas.text_width(words, style);
}

/// Draws the arrow under a colour bar: there are smaller values, in its lowest colour.
void draw_below(Canvas& canvas, const Rect& ramp, const Colour& colour) {
  const double y = ramp.bottom();
  const Polyline arrow{
      {{ramp.left, y}, {ramp.right(), y}, {ramp.left + 0.5 * ramp.width, y + kBelow}}, true};
  canvas.fill({arrow}, colour);
  canvas.stroke({arrow}, {.colour = kInk, .width = 0.8});
}

void draw_ramp(Canvas& canvas, const Rect& ramp, const std::function<Colour(double)>& paint) {
  constexpr int kSteps = 512;
  std::vector<uint32_t> pixels;
  for (int i = 0; i < kSteps; ++i) pixels.push_back(packed(paint(1 - (i + 0.5) / kSteps)));
  canvas.image(ramp, 1, kSteps, pixels);
  canvas.stroke({ramp.outline()}, {.colour = kInk, .width = 0.8});
}

std::vector<std::string> bar_labels(const ValueScale& scale, const std::vector<double>& ticks) {
  if (scale.scale() == Scale::linear) return format_ticks(ticks);
  std::vector<std::string> labels;  // over decades, decimals in common would be noise
  for (double tick : ticks) labels.push_back(format_number(tick));
  return labels;
}

}  // namespace

Point Frame::at(double x, double y) const {
  return {plot.left + plot.width * (x - x_low) / (x_high - x_low),
          plot.bottom() - plot.height * (y - y_low) / (y_high - y_low)};
}

std::vector<Polyline> Frame::at(const std::vector<Polyline>& lines) const {
  std::vector<Polyline> mapped = lines;
  for (Polyline& line : mapped)
    for (PlanePoint& p : line.points) p = at(p);
  return mapped;
}

double plot_top(const FigureOptions& options) {
  const double heading = options.title.empty() && options.subtitle.empty()   ? 22
                         : options.title.empty() || options.subtitle.empty() ? 46
                                                                             : 66;
  return heading + (options.note.empty() ? 0 : kNoteHeight);
}

double plot_bottom(const FigureOptions& options) {
  return options.height - (options.footer.empty() ? 74 : 90);
}

FieldLayout field_layout(const FigureOptions& options, double x_low, double x_high, double y_low,
                         double y_high) {
  const double beside = kAxisSpace + kBarGap + kBarWidth + kBarSpace;
  Rect plot;
  plot.top = plot_top(options);
  plot.width = options.width - beside - 2 * kMargin;
  plot.height = plot_bottom(options) - plot.top;
  const double ratio = (y_high - y_low) / (x_high - x_low);
  if (ratio <= kMaxUneven && ratio >= 1 / kMaxUneven) {
    plot.width = std::min(plot.width, plot.height / ratio);
    plot.height = plot.width * ratio;
  }
  plot.left = 0.5 * (options.width - plot.width - beside) + kAxisSpace;
  FigureOptions page = options;
  const double spare = plot_bottom(options) - plot.bottom();
  page.height = std::max(kLowestPage, static_cast<int>(std::ceil(options.height - spare)));
  const Rect bar{plot.right() + kBarGap, plot.top, kBarWidth, plot.height};
  return {page, {plot, x_low, x_high, y_low, y_high}, bar};
}

void draw_heading(Canvas& canvas, const FigureOptions& options) {
  const double width = options.width - 2 * kMargin;
  const double centre = 0.5 * options.width;
  if (!options.title.empty())
    canvas.text_within(width, {centre, 23}, options.title,
                       {.size = 15, .colour = kInk, .bold = true});
  if (!options.subtitle.empty())
    canvas.text_within(width, {centre, options.title.empty() ? 23.0 : 45.0}, options.subtitle,
                       {.size = 11.5, .colour = kSoftInk});
  if (!options.note.empty())
    canvas.text_within(width, {centre, plot_top(options) - 21.0}, options.note,
                       {.size = 11, .colour = kInk});
  canvas.text_within(width, {centre, options.height - 11.0}, options.footer,
                     {.size = 8.5, .colour = {0.55, 0.55, 0.57}});
}

Ticks linear_ticks(double low, double high, int target) {
  Ticks ticks;
  ticks.major = linear_levels(low, high, target);
  ticks.labels = format_ticks(ticks.major);
  return ticks;
}

void draw_x_axis(Canvas& canvas, const Frame& frame, const std::string& label) {
  const double bottom = frame.plot.bottom();
  const auto ticks_for = [&](int target) {
    return linear_ticks(frame.x_low, frame.x_high, target);
  };
  int target = std::max(2, static_cast<int>(frame.plot.width / kTickEvery));
  Ticks ticks = ticks_for(target);
  const auto crowded = [&] {
    const double each =
        frame.plot.width / std::max<double>(1, static_cast<double>(ticks.major.size()));
    return widest(canvas, ticks.labels) + 10 > each;
  };
  while (target > 1 && crowded()) ticks = ticks_for(--target);
  for (size_t i = 0; i < ticks.major.size(); ++i) {
    const double x = frame.at(ticks.major[i], frame.y_low).x;
    canvas.stroke({{{{x, bottom}, {x, bottom + kTick}}, false}}, {.colour = kInk, .width = 0.9});
    canvas.text({x, bottom + kTick + 10}, ticks.labels[i], {.size = kTickSize, .colour = kInk});
  }
  canvas.text_within(std::max(frame.plot.width, kShortestLabel),
                     {frame.plot.left + 0.5 * frame.plot.width, bottom + kTick + 28}, label,
                     {.size = 12, .colour = kInk});
}

void draw_y_axis(Canvas& canvas, const Frame& frame, const Ticks& ticks, const std::string& label,
                 bool left, const Colour& colour) {
  const double side = left ? frame.plot.left : frame.plot.right();
  const double outwards = left ? -1 : 1;
  const auto tick = [&](double value, double length) {
    const double y = frame.at(frame.x_low, value).y;
    canvas.stroke({{{{side, y}, {side + outwards * length, y}}, false}},
                  {.colour = colour, .width = 0.9});
    return y;
  };
  for (double value : ticks.minor) tick(value, 0.5 * kTick);
  for (size_t i = 0; i < ticks.major.size(); ++i) {
    const double y = tick(ticks.major[i], kTick);
    canvas.text({side + outwards * (kTick + 4), y}, ticks.labels[i],
                {.size = kTickSize, .colour = colour, .align = left ? 1.0 : 0.0});
  }
  const double away = std::min(kTick + 4 + widest(canvas, ticks.labels) + 15, kAxisSpace - 9);
  const double half_turn = std::numbers::pi / 2;
  canvas.text_within(std::max(frame.plot.height, kShortestLabel),
                     {side + outwards * away, frame.plot.top + 0.5 * frame.plot.height}, label,
                     {.size = 12, .colour = colour, .angle = left ? -half_turn : half_turn});
}

void draw_box(Canvas& canvas, const Frame& frame) {
  canvas.stroke({frame.plot.outline()}, {.colour = kInk, .width = 1.1});
}

void draw_field_axes(Canvas& canvas, const Frame& frame, const FigureOptions& options) {
  const int y_ticks = std::max(2, static_cast<int>(frame.plot.height / kTickEvery));
  draw_x_axis(canvas, frame, options.x_label);
  draw_y_axis(canvas, frame, linear_ticks(frame.y_low, frame.y_high, y_ticks), options.y_label,
              true, kInk);
  draw_box(canvas, frame);
}

void draw_colour_bar(Canvas& canvas, const Rect& bar, const ValueScale& scale,
                     const std::vector<double>& ticks, const std::string& label,
                     const std::function<Colour(double)>& paint, const Colour& off_scale) {
  Rect ramp = bar;
  const double text_left = bar.right() + kTick + 4;
  double labels_width = 0;
  if (scale.above() > 0) {
    ramp.top += kSwatch + kSwatchGap;
    ramp.height -= kSwatch + kSwatchGap;
    labels_width = draw_off_scale(canvas, bar, text_left, scale, off_scale);
  }
  if (scale.below() > 0) {
    ramp.height -= kBelow;
    draw_below(canvas, ramp, paint(0));
  }
  draw_ramp(canvas, ramp, paint);

  const std::vector<std::string> labels = bar_labels(scale, ticks);
  labels_width = std::max(labels_width, widest(canvas, labels));
  const double highest = scale.above() > 0 ? bar.top + 10 + kTickSize : 0;
  double last = ramp.bottom() + 100;
  for (size_t i = 0; i < ticks.size(); ++i) {
    const double y = ramp.bottom() - ramp.height * scale.fraction(ticks[i]);
    canvas.stroke({{{{bar.right(), y}, {bar.right() + kTick, y}}, false}},
                  {.colour = kInk, .width = 0.9});
    // Text too close to the one below it, or to the swatch's, is left out; the tick stays.
    if (last - y < kTickSize + 1 || y < highest) continue;
    canvas.text({text_left, y}, labels[i], {.size = kTickSize, .colour = kInk, .align = 0});
    last = y;
  }
  const double away = std::min(kTick + 4 + labels_width + 16, kBarSpace - 9);
  canvas.text_within(std::max(bar.height, kShortestLabel),
                     {bar.right() + away, bar.top + 0.5 * bar.height}, label,
                     {.size = 12, .colour = kInk, .angle = std::numbers::pi / 2});
}

void draw_caption(Canvas& canvas, const FigureOptions& options, double centre,
                  const std::vector<Key>& keys) {
  constexpr double kSymbol = 13;  // px from a symbol's centre to its words
  constexpr double kApart = 18;
  const double available = options.width - 2 * kMargin;
  TextStyle style{.size = 11, .colour = kInk, .align = 0};
  const auto total = [&] {
    double sum = -kApart;
    for (const Key& key : keys) sum += kSymbol + 6 + canvas.text_width(key.words, style) + kApart;
    return sum;
  };
  while (total() > available && style.size > 7) style.size -= 0.25;
  const double width = total();
  double left =
      std::clamp(centre - 0.5 * width, kMargin, std::max(kMargin, options.width - kMargin - width));
  const double y = plot_bottom(options) + (options.footer.empty() ? 58 : 60);
  for (const Key& key : keys) {
    key.draw(canvas, {left + 6, y});
    canvas.text({left + 6 + kSymbol, y}, key.words, style);
    left += kSymbol + 6 + canvas.text_width(key.words, style) + kApart;
  }
}

}  // namespace topograd::drawing
