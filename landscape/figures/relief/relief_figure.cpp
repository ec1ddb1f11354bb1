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
#include "landscape/figures/frame.h"
#include "landscape/figures/path.h"
#include "landscape/figures/relief/relief_facets.h"
#include "landscape/figures/relief/relief_rendering.h"
#include "landscape/figures/units.h"

namespace topograd {

using namespace drawing;

namespace {

constexpr int kReliefLevels = 11;  // lines on the relief
constexpr double kReliefBarGap = 30;
constexpr double kReliefBarWidth = 17;
constexpr double kNarrowReliefBarWidth = 12;
constexpr double kReliefAxisSpace = 66;  // px around the relief, for axes
constexpr double kShortestReliefLabel =
    230;  // px that an axis's label may take beside a short axis
constexpr double kNarrowAxisSpace = 48;
constexpr double kNarrowRight = 42;  // px between the relief and the bar: numbers of an axis
constexpr double kNumbersAway = 9;   // px from an axis to its numbers
constexpr double kFacetLine = 0.5;   // px, width of levels' lines on facets
constexpr double kElevations[] = {38, 44, 50, 56, 62};  // degrees: the first that shows the marks
constexpr Colour kWall{0.955, 0.955, 0.965};
constexpr Colour kWallLine{0.84, 0.84, 0.87};

double degrees(double angle) {
  return angle * std::numbers::pi / 180;
}

/// Rendering that is made when it is first drawn: it takes a second, and texts do not need it.
struct LazyRendering {
  std::once_flag once;
  std::optional<ReliefRendering> made;
};

/// Box around the relief: walls behind it, axes in front of it.
class Box {
 public:
  Box(const FieldView& field, const ReliefMesh& relief, const Camera& camera,
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
std::vector<Key> draw_marks_on(Canvas& canvas, const ReliefMesh& relief, const Camera& camera,
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
  const ReliefMesh& relief;
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
double elevation_for(const FieldView& field, const ReliefMesh& relief,
                     const FigureOptions& options) {
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
    for (const Point& mark : mark_positions(plane, field, options.marks)) {
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
  require(options.relief_points >= 2, "a relief of ", options.relief_points,
          " points: choose 2 or more");
  const ReliefMesh relief(field, scale, options.relief, options.relief_points);
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
  // Light from the left of the camera, so that slopes that face the reader are neither flat nor dark.
  const Light light{.azimuth = degrees(options.azimuth - 90) - 1.0, .elevation = 0.72};
  const auto draw_rendering = [=, rendering = std::make_shared<LazyRendering>()](Canvas& canvas) {
    std::call_once(rendering->once, [&] {
      rendering->made.emplace(relief, camera, lit(relief.field(), light, camera.towards()),
                              layout.area, image_pixels(options));
    });
    rendering->made->draw(canvas, fractions, options.colours);
  };
  const auto draw_facets = [=](Canvas& canvas) {
    const Lit brightness = lit(relief.field(), light, camera.towards());
    canvas.facets(relief_facets(relief, camera, brightness, fractions, options.colours),
                  kFacetLine);
  };
  const auto draw = [=](Canvas& canvas) {
    const FigureOptions& page = layout.page;
    const Box box(field, relief, camera, page);
    draw_heading(canvas, page);
    box.draw_behind(canvas, fractions);
    if (canvas.fields() == Fields::pixels) draw_rendering(canvas);
    if (canvas.fields() == Fields::shapes) draw_facets(canvas);
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
