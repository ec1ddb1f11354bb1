#include "landscape/figures/labels.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <optional>
#include <unordered_map>

namespace topograd::drawing {

namespace {

constexpr double kPad = 3;           // px of gap on each side of the text
constexpr double kStep = 5;          // px between candidate places along a line
constexpr double kBucket = 16;       // px
constexpr double kLabelEvery = 420;  // px of line for each label
constexpr double kSameLevelApart = 150;

double distance(Point a, Point b) {
  return std::hypot(a.x - b.x, a.y - b.y);
}

double distance_to_segment(Point p, Point a, Point b) {
  const double dx = b.x - a.x, dy = b.y - a.y;
  const double square = dx * dx + dy * dy;
  const double t =
      square > 0 ? std::clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / square, 0.0, 1.0) : 0.0;
  return distance(p, {a.x + t * dx, a.y + t * dy});
}

/// Returns twice the signed area of a triangle.
double turn(Point a, Point b, Point c) {
  return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}

double gap_between(const Obstacle& a, const Obstacle& b) {
  const bool crossing = turn(a.begin, a.end, b.begin) * turn(a.begin, a.end, b.end) < 0 &&
                        turn(b.begin, b.end, a.begin) * turn(b.begin, b.end, a.end) < 0;
  if (crossing) return 0;
  const double apart = std::min(
      {distance_to_segment(a.begin, b.begin, b.end), distance_to_segment(a.end, b.begin, b.end),
       distance_to_segment(b.begin, a.begin, a.end), distance_to_segment(b.end, a.begin, a.end)});
  return apart - a.radius - b.radius;
}

/// Line parametrised by arc length.
class Ruler {
 public:
  explicit Ruler(const Polyline& line) : points_(line.points), closed_(line.closed) {
    if (closed_ && !points_.empty()) points_.push_back(points_.front());
    lengths_.push_back(0);
    for (size_t i = 1; i < points_.size(); ++i)
      lengths_.push_back(lengths_.back() + distance(points_[i - 1], points_[i]));
  }

  double length() const { return lengths_.back(); }
  bool closed() const { return closed_; }
  const std::vector<Point>& points() const { return points_; }
  double at_point(size_t i) const { return lengths_[i]; }

  Point at(double s) const {
    if (closed_) s -= length() * std::floor(s / length());
    const auto above = std::upper_bound(lengths_.begin() + 1, lengths_.end() - 1, s);
    const auto i = static_cast<size_t>(above - lengths_.begin());
    const double step = lengths_[i] - lengths_[i - 1];
    const double t = step > 0 ? std::clamp((s - lengths_[i - 1]) / step, 0.0, 1.0) : 0.0;
    return {std::lerp(points_[i - 1].x, points_[i].x, t),
            std::lerp(points_[i - 1].y, points_[i].y, t)};
  }

  /// Returns the stretch [begin, end]; on a closed line `end` may pass its length, once.
  Polyline piece(double begin, double end) const {
    Polyline part{{at(begin)}, false};
    for (int round = 0; round < (closed_ ? 2 : 1); ++round)
      for (size_t i = 0; i < points_.size(); ++i) {
        const double s = lengths_[i] + round * length();
        if (s > begin && s < end) part.points.push_back(points_[i]);
      }
    part.points.push_back(at(end));
    return part;
  }

 private:
  std::vector<Point> points_;
  std::vector<double> lengths_;
  bool closed_;
};

struct Candidate {
  PlacedLabel label;
  double deviation;  ///< px between the line and the text's axis
  double cost;
};

class Placer {
 public:
  Placer(const std::vector<ContourOnPage>& lines, const Rect& area, double label_height,
         std::vector<Obstacle> obstacles)
      : lines_(lines), area_(area), height_(label_height), obstacles_(std::move(obstacles)) {
    for (size_t i = 0; i < lines.size(); ++i) {
      rulers_.emplace_back(lines[i].line);
      for (size_t k = 0; k + 1 < rulers_[i].points().size(); ++k) index_segment(i, k);
    }
    for (size_t i = 0; i < lines.size(); ++i) by_length_.push_back(i);
    std::stable_sort(by_length_.begin(), by_length_.end(),
                     [&](size_t a, size_t b) { return rulers_[a].length() > rulers_[b].length(); });
  }

  std::vector<PlacedLabel> place() {
    for (double tolerance : {1.5, 3.5})
      for (size_t i : by_length_)
        if (count_of_level(lines_[i].level) == 0) add_best(i, tolerance);
    for (size_t i : by_length_) {
      const auto wanted = std::max<long>(1, std::lround(rulers_[i].length() / kLabelEvery));
      while (rulers_[i].length() > 4 * lines_[i].label_width && count_of_line(i) < wanted)
        if (!add_best(i, 2.0)) break;
    }
    return placed_;
  }

 private:
  static int64_t bucket(double x, double y) {
    return static_cast<int64_t>(std::floor(x / kBucket)) * 100000 +
           static_cast<int64_t>(std::floor(y / kBucket));
  }
  template <class F>
  static void for_buckets(double left, double top, double right, double bottom, F&& f) {
    const double x_end = kBucket * (std::floor(right / kBucket) + 0.5);
    const double y_end = kBucket * (std::floor(bottom / kBucket) + 0.5);
    for (double x = kBucket * (std::floor(left / kBucket) + 0.5); x <= x_end; x += kBucket)
      for (double y = kBucket * (std::floor(top / kBucket) + 0.5); y <= y_end; y += kBucket)
        f(bucket(x, y));
  }
  void index_segment(size_t line, size_t k) {
    const Point a = rulers_[line].points()[k], b = rulers_[line].points()[k + 1];
    for_buckets(std::min(a.x, b.x), std::min(a.y, b.y), std::max(a.x, b.x), std::max(a.y, b.y),
                [&](int64_t at) {
                  segments_[at].push_back({line, k});
                });
  }

  long count_of_level(size_t level) const {
    return std::count_if(placed_.begin(), placed_.end(), [&](const PlacedLabel& label) {
      return lines_[label.line].level == level;
    });
  }
  long count_of_line(size_t line) const {
    return std::count_if(placed_.begin(), placed_.end(),
                         [&](const PlacedLabel& label) { return label.line == line; });
  }

  Obstacle shape_of(const PlacedLabel& label) const {
    const double half = std::max(0.0, 0.5 * (lines_[label.line].label_width - height_));
    const double dx = half * std::cos(label.angle), dy = half * std::sin(label.angle);
    return {{label.centre.x - dx, label.centre.y - dy},
            {label.centre.x + dx, label.centre.y + dy},
            0.5 * height_ + 2};
  }

  /// Returns the candidate about arc length s: the text lies along the chord of its gap.
  Candidate candidate(size_t i, double s) const {
    const Ruler& ruler = rulers_[i];
    const double half = 0.5 * lines_[i].label_width + kPad;
    const Point a = ruler.at(s - half), b = ruler.at(s + half);
    const double chord = distance(a, b);
    if (!(chord > lines_[i].label_width)) return {{}, 1e9, 0};
    double least = 0, most = 0;  // signed distances of the line from the chord
    for (int k = 1; k < 10; ++k) {
      const double offset = turn(a, b, ruler.at(s - half + 0.2 * k * half)) / chord;
      least = std::min(least, offset);
      most = std::max(most, offset);
    }
    const Point along{(b.x - a.x) / chord, (b.y - a.y) / chord};
    const double shift = 0.5 * (least + most);
    double angle = std::atan2(along.y, along.x);
    if (angle > std::numbers::pi / 2) angle -= std::numbers::pi;
    if (angle <= -std::numbers::pi / 2) angle += std::numbers::pi;
    const Point centre{0.5 * (a.x + b.x) - shift * along.y, 0.5 * (a.y + b.y) + shift * along.x};
    return {{i, centre, angle, s - half, s + half}, 0.5 * (most - least), 0};
  }

  bool inside_area(const PlacedLabel& label) const {
    const double half_width = 0.5 * lines_[label.line].label_width, half_height = 0.5 * height_;
    const double c = std::abs(std::cos(label.angle)), s = std::abs(std::sin(label.angle));
    const double reach_x = half_width * c + half_height * s + 2;
    const double reach_y = half_width * s + half_height * c + 2;
    return label.centre.x - reach_x > area_.left && label.centre.x + reach_x < area_.right() &&
           label.centre.y - reach_y > area_.top && label.centre.y + reach_y < area_.bottom();
  }

  /// Returns whether any line, but for the gap itself, comes within the text's stadium.
  bool touches_line(const PlacedLabel& label) const {
    const Obstacle shape = shape_of(label);
    const double reach = 0.5 * lines_[label.line].label_width + height_;
    bool touched = false;
    for_buckets(label.centre.x - reach, label.centre.y - reach, label.centre.x + reach,
                label.centre.y + reach, [&](int64_t at) {
                  const auto found = segments_.find(at);
                  if (touched || found == segments_.end()) return;
                  for (const auto& [line, k] : found->second) {
                    if (line == label.line && within_gap(label, k)) continue;
                    const auto& points = rulers_[line].points();
                    const Obstacle segment{points[k], points[k + 1], 0};
                    if (!(gap_between(shape, segment) > 0)) touched = true;
                  }
                });
    return touched;
  }
  bool within_gap(const PlacedLabel& label, size_t k) const {
    const Ruler& ruler = rulers_[label.line];
    const double period = ruler.closed() ? ruler.length() : 0;
    for (double round : {-1.0, 0.0, 1.0}) {
      if (ruler.at_point(k) + round * period <= label.end &&
          ruler.at_point(k + 1) + round * period >= label.begin)
        return true;
    }
    return false;
  }

  std::optional<double> crowding_cost(const PlacedLabel& label) const {
    const Obstacle shape = shape_of(label);
    for (const Obstacle& obstacle : obstacles_)
      if (!(gap_between(shape, obstacle) > 2)) return std::nullopt;
    double nearest = 300;
    for (const PlacedLabel& other : placed_) {
      const double gap = gap_between(shape, shape_of(other));
      const bool same_level = lines_[other.line].level == lines_[label.line].level;
      if (!(gap > (same_level ? kSameLevelApart : 3))) return std::nullopt;
      nearest = std::min(nearest, gap);
    }
    return -0.02 * nearest;
  }

  bool add_best(size_t i, double tolerance) {
    const Ruler& ruler = rulers_[i];
    const double half = 0.5 * lines_[i].label_width + kPad;
    if (ruler.length() < (ruler.closed() ? 6 : 3.2) * half) return false;
    std::optional<Candidate> best;
    const double begin = ruler.closed() ? 0 : half;
    const double end = ruler.closed() ? ruler.length() : ruler.length() - half;
    for (double s = begin; s <= end; s += kStep) {
      Candidate c = candidate(i, s);
      if (!(c.deviation <= tolerance) || !inside_area(c.label)) continue;
      const std::optional<double> crowding = crowding_cost(c.label);
      if (!crowding) continue;
      c.cost = *crowding + 2 * c.deviation + 3 * std::abs(std::sin(c.label.angle));
      if ((!best || c.cost < best->cost) && !touches_line(c.label)) best = c;
    }
    if (best) placed_.push_back(best->label);
    return best.has_value();
  }

  const std::vector<ContourOnPage>& lines_;
  Rect area_;
  double height_;
  std::vector<Obstacle> obstacles_;
  std::vector<Ruler> rulers_;
  std::vector<size_t> by_length_;
  std::unordered_map<int64_t, std::vector<std::pair<size_t, size_t>>> segments_;
  std::vector<PlacedLabel> placed_;
};

}  // namespace

std::vector<PlacedLabel> place_labels(const std::vector<ContourOnPage>& lines, const Rect& area,
                                      double label_height, std::vector<Obstacle> obstacles) {
  return Placer(lines, area, label_height, std::move(obstacles)).place();
}

std::vector<Polyline> with_gaps(const Polyline& line, const std::vector<PlacedLabel>& labels) {
  if (labels.empty()) return {line};
  const Ruler ruler(line);
  std::vector<std::pair<double, double>> gaps;
  for (const PlacedLabel& label : labels) {
    const double shift =
        ruler.closed() ? -ruler.length() * std::floor(label.begin / ruler.length()) : 0;
    gaps.push_back({label.begin + shift, label.end + shift});
  }
  std::sort(gaps.begin(), gaps.end());
  std::vector<Polyline> pieces;
  if (!ruler.closed()) pieces.push_back(ruler.piece(0, gaps.front().first));
  for (size_t i = 0; i + 1 < gaps.size(); ++i)
    pieces.push_back(ruler.piece(gaps[i].second, gaps[i + 1].first));
  const double last = ruler.closed() ? gaps.front().first + ruler.length() : ruler.length();
  pieces.push_back(ruler.piece(gaps.back().second, last));
  return pieces;
}

}  // namespace topograd::drawing
