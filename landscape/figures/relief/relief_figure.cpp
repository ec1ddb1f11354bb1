// The surface in three dimensions: a lit relief between axes.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <mutex>
#include <numbers>
#include <optional>

#include "kernels/core/check.h"
#include "landscape/figures/figure.h"
#include "landscape/figures/fine_field.h"
#include "landscape/figures/frame.h"
#include "landscape/figures/path.h"
#include "landscape/figures/relief/camera.h"
#include "landscape/figures/relief/relief.h"
#include "landscape/figures/units.h"

namespace topograd {

using namespace drawing;

namespace {

constexpr int kFineMesh = 420;     // points along the longer side
constexpr int kSamples = 2;        // samples per pixel along each side
constexpr int kReliefLevels = 11;  // lines on the relief
constexpr double kLineShade = 0.45;
constexpr double kGlossShare = 0.16;
constexpr double kReliefBarGap = 30;
constexpr double kReliefBarWidth = 17;
constexpr double kNarrowReliefBarWidth = 12;
constexpr double kReliefAxisSpace = 66;  // px around the relief, for axes
constexpr double kShortestReliefLabel =
    230;  // px that an axis's label may take beside a short axis
constexpr double kNarrowAxisSpace = 48;
constexpr double kNarrowRight = 42;  // px between the relief and the bar: numbers of an axis
constexpr double kNumbersAway = 9;   // px from an axis to its numbers
constexpr double kElevations[] = {38, 44, 50, 56, 62};  // degrees: the first that shows the marks
constexpr double kOnSurface = 0.012;  // depth in the relief at which a mark still lies on it
constexpr Colour kWall{0.955, 0.955, 0.965};
constexpr Colour kWallLine{0.84, 0.84, 0.87};

double degrees(double angle) {
  return angle * std::numbers::pi / 180;
}

std::vector<double> even(double low, double high, int count) {
  std::vector<double> points;
  for (int i = 0; i < count; ++i)
    points.push_back(std::lerp(low, high, static_cast<double>(i) / (count - 1)));
  return points;
}

/// Field on a fine, even mesh, in a box of `width` by `depth` by `height`.
class Relief {
 public:
  Relief(const FieldView& field, const ValueScale& scale, double height)
      : x_low_(field.x.front()),
        y_low_(field.y.front()),
        x_range_(field.x.back() - field.x.front()),
        y_range_(field.y.back() - field.y.front()) {
    const double ratio = y_range_ / x_range_;
    const bool even_units = ratio <= kMaxUneven && ratio >= 1 / kMaxUneven;
    box_ = {even_units ? std::min(1.0, 1 / ratio) : 1, even_units ? std::min(1.0, ratio) : 1,
            height};
    refine(field, scale);
  }

  const HeightField& field() const { return fine_; }
  const Point3& box() const { return box_; }

  /// Returns whether nothing lies between a point of the relief and the camera.
  bool is_open(const Point3& point, const Point3& camera) const {
    constexpr int kSteps = 400;
    for (int k = 1; k < kSteps; ++k) {
      // The box is at most a few half diagonals from the camera: the first half of the way leaves it.
      const double t = 0.5 * k / kSteps;
      const double x = std::lerp(point.x, camera.x, t), y = std::lerp(point.y, camera.y, t);
      const double z = std::lerp(point.z, camera.z, t);
      if (x < 0 || y < 0 || x > box_.x || y > box_.y || z > box_.z) return true;
      const double ground = height_at(x, y);
      if (ground > z + kOnSurface) return false;
    }
    return true;
  }

  /// Returns where a point of the plane lies on the relief; its height is NaN outside and in holes.
  Point3 on(const PlanePoint& p) const {
    const double x = box_.x * (p.x - x_low_) / x_range_, y = box_.y * (p.y - y_low_) / y_range_;
    if (!(x >= 0 && y >= 0 && x <= box_.x && y <= box_.y))
      return {x, y, std::numeric_limits<double>::quiet_NaN()};
    return {x, y, height_at(x, y)};
  }

 private:
  double height_at(double x, double y) const {
    const double i = x / box_.x * static_cast<double>(fine_.x.size() - 1);
    const double j = y / box_.y * static_cast<double>(fine_.y.size() - 1);
    return fine_
        .z[fine_.at(static_cast<size_t>(std::lround(j)), static_cast<size_t>(std::lround(i)))];
  }

  void refine(const FieldView& field, const ValueScale& scale) {
    const double longer = std::max(box_.x, box_.y);
    const int nx = std::max(2, static_cast<int>(kFineMesh * box_.x / longer));
    const int ny = std::max(2, static_cast<int>(kFineMesh * box_.y / longer));
    const std::vector<double> x = even(field.x.front(), field.x.back(), nx);
    const std::vector<double> y = even(field.y.front(), field.y.back(), ny);
    fine_.x = even(0, box_.x, nx);
    fine_.y = even(0, box_.y, ny);
    const double low = scale.transformed(scale.low()), high = scale.transformed(scale.high());
    FieldView fractions = field;
    for (double& value : fractions.values) value = (scale.transformed(value) - low) / (high - low);
    fine_.fraction = resampled(fractions, x, y).values;
    for (double fraction : fine_.fraction)  // clamp would take NaN for a number
      fine_.z.push_back(std::isnan(fraction) ? fraction : box_.z * std::clamp(fraction, 0.0, 1.0));
  }

  double x_low_, y_low_, x_range_, y_range_;
  Point3 box_;
  HeightField fine_;
};

/// Rendering of the relief: samples, and from them pixels.
class Rendering {
 public:
  /// Renders with so many pixels to a px.
  Rendering(const Relief& relief, const Camera& camera, const Lit& light, const Rect& area,
            double pixels)
      : area_(area),
        pixels_(pixels),
        samples_(static_cast<int>(std::ceil(area.width * pixels)) * kSamples,
                 static_cast<int>(std::ceil(area.height * pixels)) * kSamples) {
    const HeightField& field = relief.field();
    std::vector<DepthBuffer::Corner> corners;
    for (size_t row = 0; row < field.y.size(); ++row)
      for (size_t column = 0; column < field.x.size(); ++column) {
        const size_t i = field.at(row, column);
        const Seen seen = camera.see({field.x[column], field.y[row], field.z[i]});
        corners.push_back({(seen.at.x - area.left) * pixels_ * kSamples,
                           (seen.at.y - area.top) * pixels_ * kSamples, seen.depth,
                           field.fraction[i], light.brightness[i], light.gloss[i]});
      }
    for (size_t row = 0; row + 1 < field.y.size(); ++row)
      for (size_t column = 0; column + 1 < field.x.size(); ++column) {
        const size_t a = field.at(row, column), b = a + 1;
        const size_t c = field.at(row + 1, column), d = c + 1;
        if (std::isnan(field.z[a] + field.z[b] + field.z[c] + field.z[d])) continue;
        samples_.add({corners[a], corners[b], corners[c]});
        samples_.add({corners[b], corners[d], corners[c]});
      }
  }

  void draw(Canvas& canvas, const std::vector<double>& levels, ColourMap map) const {
    const int width = samples_.width() / kSamples, height = samples_.height() / kSamples;
    std::vector<uint32_t> pixels;
    for (int row = 0; row < height; ++row)
      for (int column = 0; column < width; ++column) {
        Colour sum{0, 0, 0, 0};
        for (int k = 0; k < kSamples * kSamples; ++k)
          add(sum, colour_of(kSamples * column + k % kSamples, kSamples * row + k / kSamples,
                             levels, map));
        pixels.push_back(packed(mean(sum)));
      }
    canvas.image({area_.left, area_.top, static_cast<double>(width) / pixels_,
                  static_cast<double>(height) / pixels_},
                 width, height, pixels);
  }

 private:
  static void add(Colour& sum, const Colour& c) {
    sum.red += c.opacity * c.red;
    sum.green += c.opacity * c.green;
    sum.blue += c.opacity * c.blue;
    sum.opacity += c.opacity;
  }
  static Colour mean(const Colour& sum) {
    if (sum.opacity == 0) return {0, 0, 0, 0};
    return {sum.red / sum.opacity, sum.green / sum.opacity, sum.blue / sum.opacity,
            sum.opacity / (kSamples * kSamples)};
  }

  static size_t band(const std::vector<double>& levels, float fraction) {
    return static_cast<size_t>(
        std::upper_bound(levels.begin(), levels.end(), static_cast<double>(fraction)) -
        levels.begin());
  }

  /// Returns whether the next sample to the right or below is in another band of the same slope.
  bool on_a_line(int column, int row, const std::vector<double>& levels) const {
    const DepthBuffer::Pixel& here = samples_.at(column, row);
    const auto differs = [&](int c, int r) {
      if (c >= samples_.width() || r >= samples_.height()) return false;
      const DepthBuffer::Pixel& next = samples_.at(c, r);
      return std::abs(next.depth - here.depth) < 0.05F &&
             band(levels, next.fraction) != band(levels, here.fraction);
    };
    return differs(column + 1, row) || differs(column, row + 1);
  }

  Colour colour_of(int column, int row, const std::vector<double>& levels, ColourMap map) const {
    const DepthBuffer::Pixel& sample = samples_.at(column, row);
    if (!std::isfinite(sample.depth)) return {0, 0, 0, 0};
    const Colour own =
        sample.fraction > 1 + 1e-6 ? off_scale(map) : colour_at(map, sample.fraction);
    const double shade = on_a_line(column, row, levels) ? kLineShade : 1;
    const auto light = [&](double channel) {
      // Light adds up in linear intensities, of which sRGB's numbers are about the root.
      const double linear =
          std::pow(channel, 2.2) * sample.brightness * shade + kGlossShare * sample.gloss * shade;
      return std::pow(std::clamp(linear, 0.0, 1.0), 1 / 2.2);
    };
    return {light(own.red), light(own.green), light(own.blue), 1};
  }

  Rect area_;
  double pixels_;
  DepthBuffer samples_;
};

/// Rendering that is made when it is first drawn: it takes a second, and texts do not need it.
struct LazyRendering {
  std::once_flag once;
  std::optional<Rendering> made;
};

/// Box around the relief: walls behind it, axes in front of it.
class Box {
 public:
  Box(const FieldView& field, const Relief& relief, const Camera& camera,
      const FigureOptions& options)
      : field_(field), box_(relief.box()), camera_(camera), options_(options) {
    const double azimuth = degrees(options.azimuth);
    // The corner nearest to the camera, by the quarter it stands in.
    near_x_ = std::sin(azimuth) >= 0 ? box_.x : 0;
    near_y_ = std::cos(azimuth) >= 0 ? 0 : box_.y;
    far_x_ = box_.x - near_x_;
    far_y_ = box_.y - near_y_;
  }

  void draw_behind(Canvas& canvas, const std::vector<double>& fractions) const {
    const auto wall = [&](const std::vector<Point3>& corners) {
      canvas.fill({loop(corners)}, kWall);
      canvas.stroke({loop(corners)}, {.colour = kWallLine, .width = 0.9});
    };
    wall({{0, 0, 0}, {box_.x, 0, 0}, {box_.x, box_.y, 0}, {0, box_.y, 0}});
    wall({{0, far_y_, 0}, {box_.x, far_y_, 0}, {box_.x, far_y_, box_.z}, {0, far_y_, box_.z}});
    wall({{far_x_, 0, 0}, {far_x_, box_.y, 0}, {far_x_, box_.y, box_.z}, {far_x_, 0, box_.z}});
    draw_hole(canvas, on_ground(holes(field_)));
    draw_to_do(canvas, on_ground(unfinished(field_)));
    std::vector<Polyline> lines;
    for (double fraction : fractions) {
      const double z = fraction * box_.z;
      lines.push_back(line({{near_x_, far_y_, z}, {far_x_, far_y_, z}, {far_x_, near_y_, z}}));
    }
    for (double x : linear_levels(field_.x.front(), field_.x.back(), 6))
      lines.push_back(line({at_x(x, near_y_), at_x(x, far_y_), at_x(x, far_y_, box_.z)}));
    for (double y : linear_levels(field_.y.front(), field_.y.back(), 6))
      lines.push_back(line({at_y(y, near_x_), at_y(y, far_x_), at_y(y, far_x_, box_.z)}));
    canvas.stroke(lines, {.colour = kWallLine, .width = 0.7});
  }

  /// Draws the axes; `levels` have their `labels` on the vertical one.
  void draw_axes(Canvas& canvas, const std::vector<double>& fractions,
                 const std::vector<std::string>& labels) const {
    const std::vector<Point3> edge = {
        {far_x_, near_y_, 0}, {near_x_, near_y_, 0}, {near_x_, far_y_, 0}};
    canvas.stroke({line(edge)}, {.colour = kInk, .width = 1.1});
    const Ticks x = linear_ticks(field_.x.front(), field_.x.back(), 6);
    const Ticks y = linear_ticks(field_.y.front(), field_.y.back(), 6);
    std::vector<Rect> taken;
    draw_axis(
        canvas, x, options_.x_label, [&](double v) { return at_x(v, near_y_); },
        {0, near_y_ - far_y_, 0}, taken);
    draw_axis(
        canvas, y, options_.y_label, [&](double v) { return at_y(v, near_x_); },
        {near_x_ - far_x_, 0, 0}, taken);
    draw_height_axis(canvas, fractions, labels, taken);
  }

 private:
  Point3 at_x(double x, double y, double z = 0) const {
    return {box_.x * (x - field_.x.front()) / (field_.x.back() - field_.x.front()), y, z};
  }
  Point3 at_y(double y, double x, double z = 0) const {
    return {x, box_.y * (y - field_.y.front()) / (field_.y.back() - field_.y.front()), z};
  }
  Polyline line(const std::vector<Point3>& points) const {
    Polyline result;
    for (const Point3& p : points) result.points.push_back(camera_.see(p).at);
    return result;
  }
  Polyline loop(const std::vector<Point3>& points) const {
    Polyline result = line(points);
    result.closed = true;
    return result;
  }

  std::vector<Polyline> on_ground(const std::vector<Polyline>& cells) const {
    std::vector<Polyline> seen;
    for (const Polyline& cell : cells) {
      std::vector<Point3> corners;
      for (const PlanePoint& p : cell.points)
        corners.push_back({at_x(p.x, 0).x, at_y(p.y, 0).y, 0});
      seen.push_back(loop(corners));
    }
    return seen;
  }

  /// Draws a number, unless it would touch one that is drawn.
  static void draw_number(Canvas& canvas, Point anchor, const std::string& words, double align,
                          std::vector<Rect>& taken) {
    const TextStyle style{.size = kTickSize, .colour = kInk, .align = align};
    const double width = canvas.text_width(words, style), height = kCapitalHeight * kTickSize;
    const Rect box{anchor.x - align * width - 3, anchor.y - 0.5 * height - 2, width + 6,
                   height + 4};
    for (const Rect& other : taken)
      if (box.left < other.right() && other.left < box.right() && box.top < other.bottom() &&
          other.top < box.bottom())
        return;
    taken.push_back(box);
    canvas.text(anchor, words, style);
  }

  /// Draws the values of the levels along the vertical edge that is leftmost on the page.
  void draw_height_axis(Canvas& canvas, const std::vector<double>& fractions,
                        const std::vector<std::string>& labels, std::vector<Rect>& taken) const {
    const bool first =
        camera_.see({far_x_, near_y_, 0}).at.x < camera_.see({near_x_, far_y_, 0}).at.x;
    const Point3 foot = first ? Point3{far_x_, near_y_, 0} : Point3{near_x_, far_y_, 0};
    canvas.stroke({line({foot, {foot.x, foot.y, box_.z}})}, {.colour = kInk, .width = 1.1});
    std::vector<Point> places;
    for (const double fraction : fractions)
      places.push_back(camera_.see({foot.x, foot.y, fraction * box_.z}).at);
    // Where all numbers would touch, every second or third of even steps, of others what has room.
    const double first_step = fractions.size() > 1 ? fractions[1] - fractions[0] : 0;
    const bool even_steps = fractions.size() > 1 &&
                            std::abs(fractions.back() - fractions[0] -
                                     first_step * static_cast<double>(fractions.size() - 1)) < 1e-6;
    const auto crowded = [&](size_t stride) {
      for (size_t i = stride; i < places.size(); i += stride)
        if (places[i - stride].y - places[i].y < kTickSize + 2) return true;
      return false;
    };
    size_t stride = 1;
    while (even_steps && stride < places.size() && crowded(stride)) ++stride;
    for (size_t i = 0; i < places.size(); ++i) {
      const Point& p = places[i];
      canvas.stroke({{{p, {p.x - 5, p.y}}, false}}, {.colour = kInk, .width = 0.9});
      if (i % stride == 0) draw_number(canvas, {p.x - kNumbersAway, p.y}, labels[i], 1, taken);
    }
  }

  /// Draws ticks that point away from the box, numbers beyond them, the label along the edge.
  template <class Place>
  void draw_axis(Canvas& canvas, const Ticks& ticks, const std::string& label, const Place& place,
                 const Point3& outwards, std::vector<Rect>& taken) const {
    const auto beside = [&](const Point3& p, double px) {
      const Point from = camera_.see(p).at;
      const Point to =
          camera_.see({p.x + 0.1 * outwards.x, p.y + 0.1 * outwards.y, p.z + 0.1 * outwards.z}).at;
      const double length = std::hypot(to.x - from.x, to.y - from.y);
      return Point{from.x + px * (to.x - from.x) / length, from.y + px * (to.y - from.y) / length};
    };
    const Point3 begin = place(ticks.major.front()), end = place(ticks.major.back());
    const Point3 middle{0.5 * (begin.x + end.x), 0.5 * (begin.y + end.y), 0};
    const Point unit{beside(middle, 1).x - camera_.see(middle).at.x,
                     beside(middle, 1).y - camera_.see(middle).at.y};
    // Numbers begin or end at their tick, so that those of two axes part at the corner in front.
    const double align = unit.x > 0.3 ? 0 : unit.x < -0.3 ? 1 : 0.5;
    const double away = align == 0.5 ? kNumbersAway + 8 : kNumbersAway + 3 * std::abs(unit.y);
    double widest = 0;
    for (size_t i = 0; i < ticks.major.size(); ++i) {
      const Point3 p = place(ticks.major[i]);
      canvas.stroke({{{camera_.see(p).at, beside(p, 5)}, false}}, {.colour = kInk, .width = 0.9});
      draw_number(canvas, beside(p, away), ticks.labels[i], align, taken);
      widest = std::max(widest, canvas.text_width(ticks.labels[i], {.size = kTickSize}));
    }
    const Point a = camera_.see(begin).at, b = camera_.see(end).at;
    double angle = std::atan2(b.y - a.y, b.x - a.x);
    if (angle > 0.5 * std::numbers::pi) angle -= std::numbers::pi;
    if (angle < -0.5 * std::numbers::pi) angle += std::numbers::pi;
    const double label_away =
        away + (align == 0.5 ? 8 : widest * std::abs(unit.x)) + 6 * std::abs(unit.y) + 12;
    const double edge = std::hypot(b.x - a.x, b.y - a.y);
    const double room =
        options_.width < kRoomy ? edge : std::max(kShortestReliefLabel, 1.15 * edge);
    draw_axis_label(canvas, room, beside(middle, label_away), label, kInk, angle);
  }

  const FieldView& field_;
  Point3 box_;
  const Camera& camera_;
  const FigureOptions& options_;
  double near_x_, near_y_, far_x_, far_y_;
};

/// Draws the path where the relief does not hide it, and the marks, hollow where it does.
std::vector<Key> draw_marks_on(Canvas& canvas, const Relief& relief, const Camera& camera,
                               const FieldView& field, const ValueScale& scale,
                               const FigureOptions& options) {
  const Place seen = [&](const PlanePoint& p) -> std::optional<Spot> {
    const Point3 place = relief.on(p);
    if (std::isnan(place.z)) return std::nullopt;
    return Spot{camera.see(place).at, !relief.is_open(place, camera.position())};
  };
  std::vector<Key> keys = draw_path_where_seen(canvas, seen, options.marks);
  const std::vector<Key> more =
      draw_extreme_marks(canvas, seen, field, scale, options, off_scale(options.colours));
  keys.insert(keys.end(), more.begin(), more.end());
  return keys;
}

/// Places of the relief and its colour bar on the page.
struct ReliefLayout {
  FigureOptions page;
  Rect area, bar;
};

/// Relief with its lines and their numbers, seen from somewhere.
struct ReliefView {
  const FieldView& field;
  const Relief& relief;
  double elevation;  ///< degrees
  const std::vector<double>& fractions;
  const std::vector<std::string>& labels;
  std::vector<std::string> bar_texts;
};

Camera camera_on(const ReliefView& view, const FigureOptions& options, const Rect& area) {
  return {{0, 0, 0}, view.relief.box(), degrees(options.azimuth), degrees(view.elevation), area};
}

/// Returns how far down the texts beside the relief reach.
double lowest_text(const ReliefView& view, const FigureOptions& options, const Camera& camera) {
  TextBoxes canvas;
  canvas.in_font(options.font, [&] {
    Box(view.field, view.relief, camera, options).draw_axes(canvas, view.fractions, view.labels);
  });
  return canvas.lowest();
}

/// Returns the layout; where the relief needs less than the height there is, the page is lower.
ReliefLayout layout_of(const ReliefView& view, const FigureOptions& options, size_t rows) {
  const bool roomy = options.width >= kRoomy;
  double bar_space = 0, left = 0;
  TextBoxes canvas;
  canvas.in_font(options.font, [&] {
    bar_space = axis_room(canvas, options, kBarSpace, view.bar_texts);
    for (const std::string& label : view.labels)
      left = std::max(left, kNumbersAway + 5 + canvas.text_width(label, {.size = kTickSize}));
  });
  left = std::max(left, roomy ? kReliefAxisSpace : kNarrowAxisSpace);
  const double bar_width = roomy ? kReliefBarWidth : kNarrowReliefBarWidth;
  const double right =
      (roomy ? kReliefAxisSpace + kReliefBarGap - 40 : kNarrowRight) + bar_width + bar_space;
  ReliefLayout layout{options, {left, plot_top(options), options.width - left - right, 0}, {}};
  Rect& area = layout.area;
  // Texts may reach down to the first row of keys.
  const double most = caption_top(options, rows) - 10;
  area.height = most - area.top;
  double spare = 0;
  for (int pass = 0; pass < 4; ++pass) {
    const Camera camera = camera_on(view, options, area);
    if (!options.film_frame) area.height = camera.height();
    spare = most - lowest_text(view, options, camera_on(view, options, area));
    if (spare >= 0) break;
    area.height += spare;
  }
  if (!options.film_frame) layout.page.height -= std::max(0.0, std::floor(spare));
  const double share = roomy ? 0.7 : 0.9;
  layout.bar = {options.width - bar_space - bar_width, area.top + 0.5 * (1 - share) * area.height,
                bar_width, share * area.height};
  return layout;
}

/// Returns the elevation that was chosen, or the lowest at which nothing hides the marks.
double elevation_for(const FieldView& field, const Relief& relief, const FigureOptions& options) {
  if (options.elevation || options.film_frame) return options.elevation.value_or(kElevations[0]);
  const Frame plane{{0, 0, field.x.back() - field.x.front(), field.y.back() - field.y.front()},
                    field.x.front(),
                    field.x.back(),
                    field.y.front(),
                    field.y.back()};
  for (const double elevation : kElevations) {
    const Camera camera({0, 0, 0}, relief.box(), degrees(options.azimuth), degrees(elevation),
                        {0, 0, 100, 100});
    bool open = true;
    for (const Point& mark : mark_positions(plane, field, options.marks.largest)) {
      const Point3 at = relief.on({field.x.front() + mark.x, field.y.back() - mark.y});
      open = open && (std::isnan(at.z) || relief.is_open(at, camera.position()));
    }
    if (open) return elevation;
  }
  return kElevations[0];  // from no sensible place: a hollow mark says so
}

/// Returns the rows that the keys take at most: as if the relief hid every mark.
size_t rows_of_keys(const FieldView& field, const ValueScale& scale, const FigureOptions& options) {
  TextBoxes canvas;
  size_t rows = 1;
  canvas.in_font(options.font, [&] {
    const Place hidden = [](const PlanePoint&) { return Spot{{}, true}; };
    std::vector<Key> keys =
        draw_extreme_marks(canvas, hidden, field, scale, options, off_scale(options.colours));
    if (!options.marks.path.empty()) keys.insert(keys.begin(), Key{draw_diamond, "start"});
    rows = caption_rows(canvas, options, keys).size();
  });
  return rows;
}

}  // namespace

Figure surface_figure(const FieldView& given_field, const FigureOptions& given_options) {
  given_field.check();
  const DrawableField drawable = in_units(given_field, on_page(given_options));
  const FieldView& field = drawable.field;
  const FigureOptions& options = drawable.options;
  field.check();
  require(options.relief >= 0.05 && options.relief <= 3, "a relief of ", options.relief,
          " times the side's length: choose 0.05 to 3");
  const ValueScale scale(field.values, options);
  const Relief relief(field, scale, options.relief);
  const double elevation = elevation_for(field, relief, options);
  require(elevation >= 5 && elevation <= 90, "an elevation of ", elevation,
          " degrees: choose 5 to 90");
  const std::vector<double> levels =
      scale.empty() ? std::vector<double>() : scale.levels(kReliefLevels);
  const std::vector<std::string> labels = level_labels(scale, levels);
  std::vector<double> fractions;
  for (double level : levels) fractions.push_back(scale.fraction(level));
  const ReliefView view{field, relief, elevation, fractions, labels, bar_texts(scale, levels)};
  const ReliefLayout layout = layout_of(view, options, rows_of_keys(field, scale, options));
  const Camera camera = camera_on(view, options, layout.area);
  const auto draw_relief = [=, rendering = std::make_shared<LazyRendering>()](Canvas& canvas) {
    std::call_once(rendering->once, [&] {
      // Light from the left of the camera, so that slopes that face the reader are neither flat nor
      // dark.
      const Light light{.azimuth = degrees(options.azimuth - 90) - 1.0, .elevation = 0.72};
      rendering->made.emplace(relief, camera, lit(relief.field(), light, camera.towards()),
                              layout.area, image_pixels(options));
    });
    rendering->made->draw(canvas, fractions, options.colours);
  };
  const auto draw = [=](Canvas& canvas) {
    const FigureOptions& page = layout.page;
    const Box box(field, relief, camera, page);
    draw_heading(canvas, page);
    box.draw_behind(canvas, fractions);
    if (canvas.shows_images()) draw_relief(canvas);
    box.draw_axes(canvas, fractions, labels);
    const std::vector<Key> keys = draw_marks_on(canvas, relief, camera, field, scale, page);
    const auto paint = [&](double t) { return colour_at(page.colours, t); };
    if (!scale.empty())
      draw_colour_bar(canvas, layout.bar, scale, levels, page.value_label, paint,
                      off_scale(page.colours));
    draw_caption(canvas, page, 0.5 * page.width, keys);
  };
  return enlarged(layout.page, given_options.title, data_of(given_field, given_options), draw);
}

}  // namespace topograd
