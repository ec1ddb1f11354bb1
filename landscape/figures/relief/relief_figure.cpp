// The surface in three dimensions: a lit relief between axes.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "kernels/core/check.h"
#include "landscape/figures/figure.h"
#include "landscape/figures/frame.h"
#include "landscape/figures/path.h"
#include "landscape/figures/relief/camera.h"
#include "landscape/figures/relief/relief.h"
#include "landscape/figures/units.h"

namespace topograd {

using namespace drawing;

namespace {

constexpr int kFineMesh = 420;     // points along the longer side
constexpr int kPixels = 2;         // pixels per px, as in the PNG
constexpr int kSamples = 2;        // samples per pixel along each side
constexpr int kReliefLevels = 11;  // lines on the relief
constexpr double kLineShade = 0.45;
constexpr double kGlossShare = 0.16;
constexpr double kReliefBarGap = 30;
constexpr double kReliefBarWidth = 17;
constexpr double kReliefBarSpace = 84;
constexpr double kReliefAxisSpace = 66;  // px around the relief, for axes
constexpr double kMaxUneven = 3;         // ratio of ranges up to which both axes have equal units
constexpr double kShortestReliefLabel =
    230;                              // px that an axis's label may take beside a short axis
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

  /// Returns where a point of the plane lies on the relief; its height is NaN outside and in holes.
  Point3 on(const PlanePoint& p) const {
    const double x = box_.x * (p.x - x_low_) / x_range_, y = box_.y * (p.y - y_low_) / y_range_;
    const double i = x / box_.x * static_cast<double>(fine_.x.size() - 1);
    const double j = y / box_.y * static_cast<double>(fine_.y.size() - 1);
    if (!(x >= 0 && y >= 0 && x <= box_.x && y <= box_.y))
      return {x, y, std::numeric_limits<double>::quiet_NaN()};
    return {
        x, y,
        fine_
            .z[fine_.at(static_cast<size_t>(std::lround(j)), static_cast<size_t>(std::lround(i)))]};
  }

 private:
  void refine(const FieldView& field, const ValueScale& scale) {
    const double longer = std::max(box_.x, box_.y);
    const int nx = std::max(2, static_cast<int>(kFineMesh * box_.x / longer));
    const int ny = std::max(2, static_cast<int>(kFineMesh * box_.y / longer));
    const std::vector<double> x = even(field.x.front(), field.x.back(), nx);
    const std::vector<double> y = even(field.y.front(), field.y.back(), ny);
    fine_.x = even(0, box_.x, nx);
    fine_.y = even(0, box_.y, ny);
    const double low = scale.transformed(scale.low()), high = scale.transformed(scale.high());
    std::vector<std::vector<double>> rows;
    for (size_t row = 0; row < field.y.size(); ++row) {
      std::vector<double> values;
      for (size_t column = 0; column < field.x.size(); ++column)
        values.push_back((scale.transformed(field.at(row, column)) - low) / (high - low));
      rows.push_back(monotone_cubic(field.x, values, x));
    }
    fine_.fraction.resize(x.size() * y.size());
    for (size_t column = 0; column < x.size(); ++column) {
      std::vector<double> values;
      for (const std::vector<double>& row : rows) values.push_back(row[column]);
      const std::vector<double> refined = monotone_cubic(field.y, values, y);
      for (size_t row = 0; row < y.size(); ++row)
        fine_.fraction[fine_.at(row, column)] = refined[row];
    }
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
  Rendering(const Relief& relief, const Camera& camera, const Lit& light, const Rect& area)
      : area_(area),
        samples_(static_cast<int>(std::ceil(area.width * kPixels)) * kSamples,
                 static_cast<int>(std::ceil(area.height * kPixels)) * kSamples) {
    const HeightField& field = relief.field();
    std::vector<DepthBuffer::Corner> corners;
    for (size_t row = 0; row < field.y.size(); ++row)
      for (size_t column = 0; column < field.x.size(); ++column) {
        const size_t i = field.at(row, column);
        const Seen seen = camera.see({field.x[column], field.y[row], field.z[i]});
        corners.push_back({(seen.at.x - area.left) * kPixels * kSamples,
                           (seen.at.y - area.top) * kPixels * kSamples, seen.depth,
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

  bool shows(const Seen& seen) const {
    const auto column =
        static_cast<int>(std::lround((seen.at.x - area_.left) * kPixels * kSamples - 0.5));
    const auto row =
        static_cast<int>(std::lround((seen.at.y - area_.top) * kPixels * kSamples - 0.5));
    if (column < 0 || row < 0 || column >= samples_.width() || row >= samples_.height())
      return false;
    return seen.depth <= static_cast<double>(samples_.at(column, row).depth) + kOnSurface;
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
    canvas.image({area_.left, area_.top, static_cast<double>(width) / kPixels,
                  static_cast<double>(height) / kPixels},
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
  DepthBuffer samples_;
};

/// Box around the relief: walls behind it, axes in front of it.
class Box {
 public:
  Box(const FieldView& field, const Relief& relief, const Camera& camera, double azimuth)
      : field_(field), box_(relief.box()), camera_(camera) {
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

  void draw_axes(Canvas& canvas, const FigureOptions& options) const {
    const std::vector<Point3> edge = {
        {far_x_, near_y_, 0}, {near_x_, near_y_, 0}, {near_x_, far_y_, 0}};
    canvas.stroke({line(edge)}, {.colour = kInk, .width = 1.1});
    const Ticks x = linear_ticks(field_.x.front(), field_.x.back(), 6);
    const Ticks y = linear_ticks(field_.y.front(), field_.y.back(), 6);
    draw_axis(canvas, x, options.x_label, [&](double v) { return at_x(v, near_y_); },
              {0, near_y_ - far_y_, 0});
    draw_axis(canvas, y, options.y_label, [&](double v) { return at_y(v, near_x_); },
              {near_x_ - far_x_, 0, 0});
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

  /// Draws ticks that point away from the box, numbers beside them, the label along the edge.
  template <class Place>
  void draw_axis(Canvas& canvas, const Ticks& ticks, const std::string& label, const Place& place,
                 const Point3& outwards) const {
    const auto beside = [&](const Point3& p, double px) {
      const Point from = camera_.see(p).at;
      const Point to =
          camera_.see({p.x + 0.1 * outwards.x, p.y + 0.1 * outwards.y, p.z + 0.1 * outwards.z}).at;
      const double length = std::hypot(to.x - from.x, to.y - from.y);
      return Point{from.x + px * (to.x - from.x) / length, from.y + px * (to.y - from.y) / length};
    };
    for (size_t i = 0; i < ticks.major.size(); ++i) {
      const Point3 p = place(ticks.major[i]);
      canvas.stroke({{{camera_.see(p).at, beside(p, 5)}, false}}, {.colour = kInk, .width = 0.9});
      canvas.text(beside(p, 17), ticks.labels[i], {.size = kTickSize, .colour = kInk});
    }
    const Point3 begin = place(ticks.major.front()), end = place(ticks.major.back());
    const Point a = camera_.see(begin).at, b = camera_.see(end).at;
    double angle = std::atan2(b.y - a.y, b.x - a.x);
    if (angle > 0.5 * std::numbers::pi) angle -= std::numbers::pi;
    if (angle < -0.5 * std::numbers::pi) angle += std::numbers::pi;
    const Point3 middle{0.5 * (begin.x + end.x), 0.5 * (begin.y + end.y), 0};
    canvas.text_within(std::max(kShortestReliefLabel, 1.15 * std::hypot(b.x - a.x, b.y - a.y)),
                       beside(middle, 40), label, {.size = 12, .colour = kInk, .angle = angle});
  }

  const FieldView& field_;
  Point3 box_;
  const Camera& camera_;
  double near_x_, near_y_, far_x_, far_y_;
};

/// Draws star and path where the relief does not hide them.
std::vector<Key> draw_marks_on(Canvas& canvas, const Relief& relief, const Camera& camera,
                               const Rendering& rendering, const FieldView& field,
                               const ValueScale& scale, const FigureOptions& options) {
  const Place seen = [&](const PlanePoint& p) -> std::optional<Point> {
    const Point3 place = relief.on(p);
    if (std::isnan(place.z)) return std::nullopt;
    const Seen found = camera.see(place);
    if (!rendering.shows(found)) return std::nullopt;
    return found.at;
  };
  std::vector<Key> keys = draw_path_where_seen(canvas, seen, options.marks);
  const std::vector<Key> more =
      draw_extreme_marks(canvas, seen, field, scale, options, off_scale(options.colours));
  keys.insert(keys.end(), more.begin(), more.end());
  return keys;
}

}  // namespace

Figure surface_figure(const FieldView& given_field, const FigureOptions& given_options) {
  given_field.check();
  const DrawableField drawable = in_units(given_field, given_options);
  const FieldView& field = drawable.field;
  const FigureOptions& options = drawable.options;
  field.check();
  require(options.relief >= 0.05 && options.relief <= 3, "a relief of ", options.relief,
          " times the side's length: choose 0.05 to 3");
  require(options.elevation >= 5 && options.elevation <= 90, "an elevation of ", options.elevation,
          " degrees: choose 5 to 90");
  const ValueScale scale(field.values, options);
  const Relief relief(field, scale, options.relief);
  const Rect area{
      kReliefAxisSpace, plot_top(options),
      options.width - 2 * kReliefAxisSpace - kReliefBarGap - kReliefBarWidth - kReliefBarSpace + 40,
      plot_bottom(options) - plot_top(options) - 8};
  const Camera camera({0, 0, 0}, relief.box(), degrees(options.azimuth), degrees(options.elevation),
                      area);
  // Light from the left of the camera, so that slopes that face the reader are neither flat nor
  // dark.
  const Light light{.azimuth = degrees(options.azimuth - 90) - 1.0, .elevation = 0.72};
  const Rendering rendering(relief, camera, lit(relief.field(), light, camera.towards()), area);
  const auto draw = [=](Canvas& canvas) {
    const std::vector<double> levels =
        scale.empty() ? std::vector<double>() : scale.levels(kReliefLevels);
    std::vector<double> fractions;
    for (double level : levels) fractions.push_back(scale.fraction(level));
    const Box box(field, relief, camera, degrees(options.azimuth));
    draw_heading(canvas, options);
    box.draw_behind(canvas, fractions);
    rendering.draw(canvas, fractions, options.colours);
    box.draw_axes(canvas, options);
    const std::vector<Key> keys =
        draw_marks_on(canvas, relief, camera, rendering, field, scale, options);
    const Rect bar{options.width - kReliefBarSpace - kReliefBarWidth, area.top + 0.15 * area.height,
                   kReliefBarWidth, 0.7 * area.height};
    const auto paint = [&](double t) { return colour_at(options.colours, t); };
    if (!scale.empty())
      draw_colour_bar(canvas, bar, scale, levels, options.value_label, paint,
                      off_scale(options.colours));
    draw_caption(canvas, options, 0.5 * options.width, keys);
  };
  return {options.width, options.height, options.title, draw};
}

}  // namespace topograd
