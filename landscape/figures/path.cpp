#include "landscape/figures/path.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace topograd::drawing {

namespace {

constexpr Colour kPath{0.78, 0.11, 0.22};
constexpr double kTextHeight = 8;   // px, height of digits
constexpr double kApart = 44;       // px between labelled points of the path
constexpr double kClearance = 2.5;  // px around a label

bool finite(const PlanePoint& p) {
  return std::isfinite(p.x) && std::isfinite(p.y);
}

/// Returns whether the segment enters the rectangle, sampled every two px.
bool crosses(const Rect& r, const Point& a, const Point& b) {
  const int steps = 1 + static_cast<int>(std::hypot(b.x - a.x, b.y - a.y) / 2);
  for (int i = 0; i <= std::min(steps, 4000); ++i) {
    const double t = static_cast<double>(i) / std::min(steps, 4000);
    const double x = std::lerp(a.x, b.x, t), y = std::lerp(a.y, b.y, t);
    if (x > r.left && x < r.right() && y > r.top && y < r.bottom()) return true;
  }
  return false;
}

bool overlap(const Rect& a, const Rect& b) {
  return a.left < b.right() && b.left < a.right() && a.top < b.bottom() && b.top < a.bottom();
}

class LabelPlacer {
 public:
  LabelPlacer(Canvas& canvas, const Frame& frame, const FigureMarks& marks)
      : canvas_(canvas), frame_(frame) {
    for (const PlanePoint& p : marks.path)
      if (finite(p)) path_.push_back(frame.at(p));
    const Point origin = frame.at(0, 0);
    taken_.push_back({origin.x - 7, origin.y - 7, 14, 14});
    for (const auto& network : marks.networks) {
      const Point at = frame.at(network.at);
      taken_.push_back({at.x - 5, at.y - 5, 10, 10});
    }
  }

  /// Places a label; returns whether there was room.
  bool place(const Point& at, const std::string& words) {
    const double width = canvas_.text_width(words, {.size = kMarkTextSize});
    for (const auto& [dx, dy] : kSides) {
      const Point centre{at.x + dx * (0.5 * width + 10.5), at.y + dy * 14.5};
      const Rect box{centre.x - 0.5 * width - kClearance, centre.y - 0.5 * kTextHeight - kClearance,
                     width + 2 * kClearance, kTextHeight + 2 * kClearance};
      if (!is_free(box)) continue;
      taken_.push_back(box);
      placed_.push_back({centre, width, words});
      return true;
    }
    return false;
  }

  std::vector<PlacedText> placed() const { return placed_; }

 private:
  static constexpr std::array<std::array<double, 2>, 8> kSides{
      {{1, 0}, {-1, 0}, {0, -1}, {0, 1}, {0.8, -1}, {-0.8, -1}, {0.8, 1}, {-0.8, 1}}};

  bool is_free(const Rect& box) const {
    const Rect& plot = frame_.plot;
    if (box.left < plot.left || box.right() > plot.right() || box.top < plot.top ||
        box.bottom() > plot.bottom())
      return false;
    for (const Rect& other : taken_)
      if (overlap(box, other)) return false;
    for (size_t i = 1; i < path_.size(); ++i)
      if (crosses(box, path_[i - 1], path_[i])) return false;
    return true;
  }

  Canvas& canvas_;
  const Frame& frame_;
  std::vector<Point> path_;
  std::vector<Rect> taken_;
  std::vector<PlacedText> placed_;
};

/// Returns the path's points in the order in which their labels are placed.
std::vector<size_t> by_importance(const FigureMarks& marks) {
  const size_t n = std::min(marks.path.size(), marks.epochs.size());
  std::vector<size_t> order;
  if (n == 0) return order;
  order = {0, n - 1};
  order.insert(order.end(), marks.rate_drops.begin(), marks.rate_drops.end());
  for (size_t i = 0; i < n; ++i) order.push_back(i);
  return order;
}

/// Returns a triangle that points down.
void draw_drop(Canvas& canvas, Point p) {
  const Polyline shape{{{p.x - 4.5, p.y - 3.5}, {p.x + 4.5, p.y - 3.5}, {p.x, p.y + 5}}, true};
  canvas.stroke({shape}, {.colour = kWhite, .width = 2.2});
  canvas.fill({shape}, {0.10, 0.22, 0.60});
}

void draw_start(Canvas& canvas, Point p) {
  canvas.fill({disc(p, 5)}, kWhite);
  canvas.stroke({disc(p, 4.2)}, {.colour = kPath, .width = 1.8});
}

void draw_network(Canvas& canvas, Point p) {
  canvas.fill({disc(p, 5.2)}, kWhite);
  canvas.fill({disc(p, 3.9)}, kInk);
}

void draw_line_and_dots(Canvas& canvas, const std::vector<Point>& path) {
  const Polyline line{path, false};
  canvas.stroke({line}, {.colour = {1, 1, 1, 0.85}, .width = 3.2});
  canvas.stroke({line}, {.colour = kPath, .width = 1.4});
  std::vector<Polyline> dots;
  for (const Point& p : path) dots.push_back(disc(p, 2.1));
  canvas.fill(dots, kPath);
}

}  // namespace

std::vector<PlacedText> place_mark_labels(Canvas& canvas, const Frame& frame,
                                          const FigureMarks& marks) {
  LabelPlacer placer(canvas, frame, marks);
  for (const auto& network : marks.networks) placer.place(frame.at(network.at), network.label);
  std::vector<Point> labelled;
  for (size_t i : by_importance(marks)) {
    if (!finite(marks.path[i])) continue;
    const Point at = frame.at(marks.path[i]);
    const bool crowded = std::any_of(labelled.begin(), labelled.end(), [&](const Point& other) {
      return std::hypot(other.x - at.x, other.y - at.y) < kApart;
    });
    if (!crowded && placer.place(at, marks.epochs[i])) labelled.push_back(at);
  }
  return placer.placed();
}

std::vector<Key> draw_path(Canvas& canvas, const Frame& frame, const FigureMarks& marks) {
  std::vector<Key> keys;
  std::vector<Point> path;
  for (const PlanePoint& p : marks.path)
    if (finite(p)) path.push_back(frame.at(p));
  canvas.clipped(frame.plot, [&] {
    if (!path.empty()) {
      draw_line_and_dots(canvas, path);
      draw_start(canvas, path.front());
    }
    for (size_t i : marks.rate_drops)
      if (finite(marks.path.at(i))) draw_drop(canvas, frame.at(marks.path[i]));
    for (const auto& network : marks.networks)
      if (std::hypot(network.at.x, network.at.y) > 0) draw_network(canvas, frame.at(network.at));
  });
  for (const PlacedText& label : place_mark_labels(canvas, frame, marks)) {
    canvas.fill(
        {Rect{label.centre.x - 0.5 * label.width - 2, label.centre.y - 6, label.width + 4, 12}
             .outline()},
        {1, 1, 1, 0.72});
    canvas.text(label.centre, label.words, {.size = kMarkTextSize, .colour = kInk});
  }
  if (!path.empty()) keys.push_back({draw_start, "start"});
  if (!marks.rate_drops.empty()) keys.push_back({draw_drop, "learning rate falls"});
  return keys;
}

std::vector<Key> draw_path_where_seen(Canvas& canvas, const Place& place,
                                      const FigureMarks& marks) {
  constexpr int kPieces = 24;  // per step of the path: the ground between is not flat
  std::vector<Polyline> lines, dots;
  bool joined = false;
  const auto seen = [&](const PlanePoint& p) {
    const std::optional<Spot> spot = place(p);
    return spot && !spot->hidden ? std::optional(spot->at) : std::nullopt;
  };
  const auto add = [&](const PlanePoint& p) {
    const std::optional<Point> at = finite(p) ? seen(p) : std::nullopt;
    if (at && !joined) lines.emplace_back();
    if (at) lines.back().points.push_back(*at);
    joined = at.has_value();
    return at;
  };
  for (size_t i = 0; i < marks.path.size(); ++i) {
    for (int k = 1; i > 0 && k < kPieces; ++k) {
      const double t = static_cast<double>(k) / kPieces;
      add({std::lerp(marks.path[i - 1].x, marks.path[i].x, t),
           std::lerp(marks.path[i - 1].y, marks.path[i].y, t)});
    }
    if (const auto at = add(marks.path[i])) dots.push_back(disc(*at, 2.1));
  }
  canvas.stroke(lines, {.colour = {1, 1, 1, 0.85}, .width = 3.2});
  canvas.stroke(lines, {.colour = kPath, .width = 1.4});
  canvas.fill(dots, kPath);
  std::vector<Key> keys;
  const auto start = marks.path.empty() ? std::nullopt : seen(marks.path.front());
  if (start) {
    draw_start(canvas, *start);
    keys.push_back({draw_start, "start"});
  }
  for (const auto& network : marks.networks)
    if (const auto at = seen(network.at)) draw_network(canvas, *at);
  return keys;
}

}  // namespace topograd::drawing
