#include "landscape/figures/frame.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "kernels/core/check.h"
#include "kernels/core/streams.h"

namespace topograd::drawing {

namespace {

constexpr double kMargin = 14;  // px, clear at the page's left and right
constexpr double kNarrowMargin = 7;
constexpr double kNarrowBarGap = 12;
constexpr double kNarrowBarWidth = 12;
constexpr double kNarrowest = 230, kLowest = 160;  // px of a page that has room for a plot
constexpr double kLineHeight = 15;  // of further lines of a note, further rows of keys
constexpr double kAxisSpace = 72;   // left of the plot: tick labels and the axis's label
constexpr double kBarGap = 20;
constexpr double kBarWidth = 17;
constexpr double kTick = 5;
constexpr double kTickEvery = 50;  // px
constexpr double kNoteHeight = 19;
constexpr int kLowestPage = 300;
constexpr double kSwatch = 14;  // height of the swatch for values above the bar
constexpr double kSwatchGap = 6;
constexpr double kBelow = 11;           // height of the arrow for values below the bar
constexpr double kShortestLabel = 190;  // px that an axis's label may take beside a short axis

double widest(const Canvas& canvas, const std::vector<std::string>& labels) {
  double width = 0;
  for (const std::string& label : labels)
    width = std::max(width, canvas.text_width(label, {.size = kTickSize}));
  return width;
}

std::string off_scale_words(const ValueScale& scale) {
  return "> " + format_number(scale.high(), 4);
}

/// Draws the swatch on top of a colour bar and its text; returns the text's width.
double draw_off_scale(Canvas& canvas, const Rect& bar, double text_left, const ValueScale& scale,
                      const Colour& colour) {
  const Rect swatch{bar.left, bar.top, bar.width, kSwatch};
  canvas.fill({swatch.outline()}, colour);
  canvas.stroke({swatch.outline()}, {.colour = kInk, .width = 0.8});
  const TextStyle style{.size = kTickSize, .colour = kInk, .align = 0};
  const std::string words = off_scale_words(scale);
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
  if (canvas.fields() == Fields::shapes) {
    Tiles tiles{.x = {ramp.left, ramp.right()}, .y = {ramp.top}, .colours = {}};
    for (int i = kColoursOfShapes; i >= 0; --i) {
      tiles.colours.push_back(paint(static_cast<double>(i) / kColoursOfShapes));
      tiles.y.push_back(ramp.bottom() - ramp.height * i / (kColoursOfShapes + 1));
    }
    canvas.tiles(tiles);
  } else {
    constexpr int kSteps = 512;
    std::vector<uint32_t> pixels;
    for (int i = 0; i < kSteps; ++i) pixels.push_back(packed(paint(1 - (i + 0.5) / kSteps)));
    canvas.image(ramp, 1, kSteps, pixels);
  }
  canvas.stroke({ramp.outline()}, {.colour = kInk, .width = 0.8});
}

double margin_of(const FigureOptions& options) {
  return options.width < kRoomy ? kNarrowMargin : kMargin;
}

/// Returns the words in lines that fit `width`.
std::string in_lines(const Canvas& canvas, const std::string& words, const TextStyle& style,
                     double width) {
  std::string lines, line;
  TextReader reader(words);
  for (std::string word; reader >> word;) {
    const std::string longer = line.empty() ? word : line + " " + word;
    if (line.empty() || canvas.text_width(longer, style) <= width) {
      line = longer;
      continue;
    }
    lines += line + "\n";
    line = word;
  }
  return lines + line;
}

constexpr double kNoteSize = 11;

/// Returns a label without what it says in brackets, unless that is as short as a unit.
std::string without_brackets(const std::string& label) {
  const size_t open = label.rfind(" (");
  const bool at_the_end = open != std::string::npos && label.back() == ')';
  return at_the_end && label.size() - open > 8 ? label.substr(0, open) : label;
}

}  // namespace

FigureOptions on_page(const FigureOptions& options) {
  require(options.zoom >= 0.1 && options.zoom <= 20, "letters ", options.zoom,
          " times as large as usual: choose 0.1 to 20");
  FigureOptions page = options;
  page.width /= options.zoom;
  page.height /= options.zoom;
  require(page.width >= kNarrowest && page.height >= kLowest, "a figure of ", options.width, " by ",
          options.height, " px has no room for letters of this size: choose at least ",
          std::ceil(kNarrowest * options.zoom), " by ", std::ceil(kLowest * options.zoom),
          " px, or smaller letters");
  if (!options.with_footer) page.footer.clear();
  if (!options.with_title) page.title.clear();
  if (!options.with_subtitle) page.subtitle = page.note = "";
  TextBoxes canvas;
  canvas.in_font(options.font, [&] {
    page.note = in_lines(canvas, page.note, {.size = kNoteSize}, page.width - 2 * margin_of(page));
  });
  return page;
}

Figure enlarged(const FigureOptions& page, const std::string& title, FigureData data,
                const std::function<void(Canvas&)>& draw) {
  const auto px = [&](double length) {
    return static_cast<int>(std::ceil(length * page.zoom - 1e-6));
  };
  return {px(page.width),
          px(page.height),
          title,
          [draw, font = page.font, zoom = page.zoom](Canvas& canvas) {
            canvas.in_font(font, [&] {
              if (zoom == 1)
                draw(canvas);
              else
                canvas.scaled(zoom, [&] { draw(canvas); });
            });
          },
          std::move(data),
          page.width * page.zoom,
          page.height * page.zoom};
}

double image_pixels(const FigureOptions& page) {
  constexpr double kFewest = 1, kMost = 8;
  return std::clamp(page.dpi / kPxPerInch * page.zoom, kFewest, kMost);
}

std::vector<std::string> level_labels(const ValueScale& scale, const std::vector<double>& levels) {
  return scale.scale() == Scale::linear ? format_ticks(levels) : format_log_ticks(levels);
}

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
  if (options.note.empty()) return heading;
  const auto breaks = std::count(options.note.begin(), options.note.end(), '\n');
  return heading + kNoteHeight + kLineHeight * static_cast<double>(breaks);
}

double plot_bottom(const FigureOptions& options, size_t caption_rows) {
  const double more = caption_rows == 0 ? 0 : static_cast<double>(caption_rows - 1);
  return options.height - (options.footer.empty() ? 74 : 90) - kLineHeight * more;
}

double caption_top(const FigureOptions& options, size_t caption_rows) {
  return plot_bottom(options, caption_rows) + (options.footer.empty() ? 58 : 60);
}

double axis_room(const Canvas& canvas, const FigureOptions& page, double usual,
                 const std::vector<std::string>& labels) {
  const double least = page.width < kRoomy ? 0 : usual;
  return std::max(least, kTick + 4 + widest(canvas, labels) + 15 + 8);
}

std::vector<std::string> bar_texts(const ValueScale& scale, const std::vector<double>& ticks) {
  std::vector<std::string> texts = level_labels(scale, ticks);
  if (scale.above() > 0) texts.push_back(off_scale_words(scale));
  return texts;
}

FieldLayout field_layout(const FigureOptions& options, double x_low, double x_high, double y_low,
                         double y_high, const std::vector<std::string>& bar_labels,
                         size_t caption_rows) {
  Rect plot, bar;
  plot.top = plot_top(options);
  plot.height = plot_bottom(options, caption_rows) - plot.top;
  const bool roomy = options.width >= kRoomy;
  double left = 0, right = 0;
  TextBoxes canvas;
  canvas.in_font(options.font, [&] {
    const int target = std::max(2, static_cast<int>(plot.height / kTickEvery));
    left = axis_room(canvas, options, kAxisSpace, linear_ticks(y_low, y_high, target).labels);
    right = axis_room(canvas, options, kBarSpace, bar_labels);
  });
  const double gap = roomy ? kBarGap : kNarrowBarGap;
  bar.width = roomy ? kBarWidth : kNarrowBarWidth;
  const double beside = left + gap + bar.width + right;
  plot.width = options.width - beside - 2 * margin_of(options);
  const double ratio = (y_high - y_low) / (x_high - x_low);
  if (ratio <= kMaxUneven && ratio >= 1 / kMaxUneven) {
    plot.width = std::min(plot.width, plot.height / ratio);
    plot.height = plot.width * ratio;
  }
  plot.left = 0.5 * (options.width - plot.width - beside) + left;
  FigureOptions page = options;
  const double spare = plot_bottom(options, caption_rows) - plot.bottom();
  page.height = std::max(std::min<double>(kLowestPage, options.height), options.height - spare);
  bar = {plot.right() + gap, plot.top, bar.width, plot.height};
  return {page, {plot, x_low, x_high, y_low, y_high}, bar};
}

void draw_heading(Canvas& canvas, const FigureOptions& options) {
  const double width = options.width - 2 * margin_of(options);
  const double centre = 0.5 * options.width;
  if (!options.title.empty())
    canvas.text_within(width, {centre, 23}, options.title,
                       {.size = 15, .colour = kInk, .bold = true});
  if (!options.subtitle.empty())
    canvas.text_within(width, {centre, options.title.empty() ? 23.0 : 45.0}, options.subtitle,
                       {.size = 11.5, .colour = kSoftInk});
  if (!options.note.empty()) {
    const auto breaks = std::count(options.note.begin(), options.note.end(), '\n');
    double y = plot_top(options) - 21 - kLineHeight * static_cast<double>(breaks);
    TextReader lines(options.note);
    for (std::string line; std::getline(lines, line); y += kLineHeight)
      canvas.text_within(width, {centre, y}, line, {.size = kNoteSize, .colour = kInk});
  }
  canvas.text_within(width, {centre, options.height - 11.0}, options.footer,
                     {.size = 8.5, .colour = {0.55, 0.55, 0.57}});
}

void draw_axis_label(Canvas& canvas, double room, Point centre, const std::string& label,
                     const Colour& colour, double angle) {
  constexpr double kLeastSize = 10;  // of 12
  const TextStyle style{.size = 12, .colour = colour, .angle = angle};
  const bool fits = canvas.text_width(label, {.size = kLeastSize}) <= room;
  canvas.text_within(room, centre, fits ? label : without_brackets(label), style);
}

Ticks linear_ticks(double low, double high, int target) {
  Ticks ticks;
  ticks.major = linear_levels(low, high, target);
  ticks.labels = format_ticks(ticks.major);
  return ticks;
}

void draw_x_axis(Canvas& canvas, const Frame& frame, const std::string& label, bool whole) {
  const double bottom = frame.plot.bottom();
  const auto ticks_for = [&](int target) {
    Ticks ticks;
    ticks.major = linear_levels(frame.x_low, frame.x_high, target);
    if (whole) std::erase_if(ticks.major, [](double tick) { return tick != std::round(tick); });
    ticks.labels = format_ticks(ticks.major);
    return ticks;
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
  draw_axis_label(canvas, std::max(frame.plot.width, kShortestLabel),
                  {frame.plot.left + 0.5 * frame.plot.width, bottom + kTick + 28}, label, kInk);
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
  const double away = kTick + 4 + widest(canvas, ticks.labels) + 15;
  const double half_turn = std::numbers::pi / 2;
  draw_axis_label(canvas, std::max(frame.plot.height, kShortestLabel),
                  {side + outwards * away, frame.plot.top + 0.5 * frame.plot.height}, label, colour,
                  left ? -half_turn : half_turn);
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

  const std::vector<std::string> labels = level_labels(scale, ticks);
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
  const double away = kTick + 4 + labels_width + 15;
  draw_axis_label(canvas, std::max(bar.height, kShortestLabel),
                  {bar.right() + away, bar.top + 0.5 * bar.height}, label, kInk,
                  std::numbers::pi / 2);
}

namespace {

constexpr double kSymbol = 13;  // px from a symbol's centre to its words
constexpr double kKeysApart = 18;
constexpr double kCaptionSize = 11;
constexpr double kCaptionShare = 0.86;  // of the page that a row may take

double width_of(const Canvas& canvas, const std::vector<Key>& row, double size) {
  double sum = -kKeysApart;
  for (const Key& key : row)
    sum += kSymbol + 6 + canvas.text_width(key.words, {.size = size}) + kKeysApart;
  return sum;
}

/// Returns the keys in rows of at most `room` px, each as full as it gets.
std::vector<std::vector<Key>> filled_rows(const Canvas& canvas, const std::vector<Key>& keys,
                                          double room) {
  std::vector<std::vector<Key>> rows;
  for (const Key& key : keys) {
    std::vector<Key> longer = rows.empty() ? std::vector<Key>() : rows.back();
    longer.push_back(key);
    if (rows.empty() || width_of(canvas, longer, kCaptionSize) > room)
      rows.push_back({key});
    else
      rows.back() = longer;
  }
  return rows;
}

}  // namespace

std::vector<std::vector<Key>> caption_rows(const Canvas& canvas, const FigureOptions& options,
                                           const std::vector<Key>& keys) {
  if (keys.empty()) return {};
  if (options.film_frame) return {keys};  // rows that come and go would move the plot
  const double most = options.width - 2 * margin_of(options);
  const double room = options.width < kRoomy ? most : kCaptionShare * options.width;
  std::vector<std::vector<Key>> rows = filled_rows(canvas, keys, room);
  // As many rows, but about as long as one another.
  for (double shorter = 0.95 * room; shorter > 0.3 * room; shorter -= 0.05 * room) {
    const std::vector<std::vector<Key>> even = filled_rows(canvas, keys, shorter);
    if (even.size() > rows.size()) break;
    rows = even;
  }
  return rows;
}

void draw_caption(Canvas& canvas, const FigureOptions& options, double centre,
                  const std::vector<Key>& keys) {
  const double margin = margin_of(options), available = options.width - 2 * margin;
  const std::vector<std::vector<Key>> rows = caption_rows(canvas, options, keys);
  double y = caption_top(options, rows.size());
  for (const std::vector<Key>& row : rows) {
    TextStyle style{.size = kCaptionSize, .colour = kInk, .align = 0};
    while (width_of(canvas, row, style.size) > available && style.size > 7) style.size -= 0.25;
    const double width = width_of(canvas, row, style.size);
    double left =
        std::clamp(centre - 0.5 * width, margin, std::max(margin, options.width - margin - width));
    for (const Key& key : row) {
      key.draw(canvas, {left + 6, y});
      canvas.text_within(options.width - margin - left - 6 - kSymbol, {left + 6 + kSymbol, y},
                         key.words, style);
      left += kSymbol + 6 + canvas.text_width(key.words, style) + kKeysApart;
    }
    y += kLineHeight;
  }
}

}  // namespace topograd::drawing
