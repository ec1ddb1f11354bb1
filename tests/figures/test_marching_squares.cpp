// Contours, their levels, and the labels on them.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

#include "kernels/core/numbers.h"
#include "kernels/core/philox.h"
#include "landscape/figures/labels.h"
#include "landscape/figures/marching_squares.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;

namespace {

/// A field on [x0, x1] x [y0, y1] with unevenly spaced points: every second step is 1.5 times
/// wider.
FieldView sampled(size_t nx, size_t ny, double x0, double x1, double y0, double y1,
                  const std::function<double(double, double)>& f) {
  const auto axis = [](size_t n, double low, double high) {
    std::vector<double> stops = {0};
    for (size_t i = 1; i < n; ++i) stops.push_back(stops.back() + (i % 2 == 0 ? 1.5 : 1.0));
    const double total = stops.back();
    for (double& stop : stops) stop = std::lerp(low, high, stop / total);
    return stops;
  };
  FieldView field{axis(nx, x0, x1), axis(ny, y0, y1), {}};
  for (double y : field.y)
    for (double x : field.x) field.values.push_back(f(x, y));
  return field;
}

/// Positive where the loops run counter-clockwise around the region.
double area(const std::vector<Polyline>& loops) {
  double sum = 0;
  for (const Polyline& loop : loops) {
    CHECK(loop.closed);
    for (size_t i = 0; i < loop.points.size(); ++i) {
      const PlanePoint a = loop.points[i];
      const PlanePoint b = loop.points[(i + 1) % loop.points.size()];
      sum += 0.5 * (a.x * b.y - b.x * a.y);
    }
  }
  return sum;
}

double length(const std::vector<Polyline>& lines) {
  double sum = 0;
  for (const Polyline& line : lines)
    for (size_t i = 1; i < line.points.size() + (line.closed ? 1 : 0); ++i) {
      const PlanePoint a = line.points[i - 1];
      const PlanePoint b = line.points[i % line.points.size()];
      sum += std::hypot(a.x - b.x, a.y - b.y);
    }
  return sum;
}

/// How far `p` is from a segment.
double distance(const PlanePoint& p, const PlanePoint& a, const PlanePoint& b) {
  const double dx = b.x - a.x, dy = b.y - a.y, squared = dx * dx + dy * dy;
  const double t = squared > 0 ? ((p.x - a.x) * dx + (p.y - a.y) * dy) / squared : 0;
  const double along = std::clamp(t, 0.0, 1.0);
  return std::hypot(p.x - a.x - along * dx, p.y - a.y - along * dy);
}

double distance(const PlanePoint& p, const std::vector<Polyline>& lines) {
  double least = kInfinity;
  for (const Polyline& line : lines)
    for (size_t i = 1; i < line.points.size() + (line.closed ? 1 : 0); ++i)
      least = std::min(least, distance(p, line.points[i - 1], line.points[i % line.points.size()]));
  return least;
}

/// Two basins of different depth with a saddle between them, and a curved wall: no symmetry.
double two_basins(double x, double y) {
  const double bend = y - 0.4 * x * x;
  return 2 * x * x * x * x - 1.6 * x * x + 0.35 * x + bend * bend + 0.3 * std::sin(2 * x + 3 * y);
}

/// Random values with holes: NaN, inf, and equal neighbours.
FieldView noise() {
  const Philox random(7, RandomStream::test);
  uint64_t next = 0;
  return sampled(23, 17, -2, 3, 0, 1, [&](double, double) {
    const double value = std::round(20 * random.normal(next++)) / 20;
    return value > 1.8 ? kNaN : value < -1.9 ? -kInfinity : value;
  });
}

}  // namespace

TEST_CASE("contour: a circle is one closed loop at the right radius") {
  const FieldView field =
      sampled(41, 33, -1, 1, -1, 1, [](double x, double y) { return x * x + y * y; });
  for (double radius : {0.2, 0.5, 0.9}) {
    const std::vector<Polyline> lines = contour_lines(field, radius * radius);
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].closed);
    // Linear interpolation of t^2 over a step h is off by at most h^2 / 4, so the radius by that
    // over 2r (and the largest step here is 2 / 32 * 1.2).
    const double h = 2.0 / 32 * 1.2;
    for (const PlanePoint& p : lines[0].points)
      CHECK(std::abs(std::hypot(p.x, p.y) - radius) <= h * h / 4 / (2 * radius) * 1.1);
    // Larger values lie outside, on the left: the loop runs clockwise.
    const double inside = -area(lines);
    CHECK(std::abs(inside - std::numbers::pi * radius * radius) <= 0.02);
    CHECK(std::abs(area(region_above(field, radius * radius)) + inside - 4) <= 1e-12);
  }
}

TEST_CASE("contour: of an analytic function, within half a cell of the true level sets") {
  const FieldView field = sampled(27, 21, -1.2, 1.3, -1, 1.4, two_basins);
  // The shortest side of a cell: 20 steps of 1 and 1.5 in turn.
  const double half_a_cell = 0.5 * std::min(2.5 / 32.5, 2.4 / 25);
  // The true level sets, from a grid 12 times as fine; its own lines are off by a hundredth of what
  // the coarse ones may be.
  const FieldView fine = sampled(27 * 12, 21 * 12, -1.2, 1.3, -1, 1.4, two_basins);
  for (double level : {-0.55, -0.3, 0.0, 0.3, 0.8, 2.0}) {
    CAPTURE(level);
    const std::vector<Polyline> lines = contour_lines(field, level);
    const std::vector<Polyline> truth = contour_lines(fine, level);
    REQUIRE(!truth.empty());
    for (const Polyline& line : truth)
      for (const PlanePoint& p : line.points) {
        // The fine lines are the function's own: within a hundredth of a cell, by Newton's step.
        const double e = 1e-6;
        const double gx = (two_basins(p.x + e, p.y) - two_basins(p.x - e, p.y)) / (2 * e);
        const double gy = (two_basins(p.x, p.y + e) - two_basins(p.x, p.y - e)) / (2 * e);
        const double step = std::abs(two_basins(p.x, p.y) - level) / std::hypot(gx, gy);
        CHECK((step <= 0.02 * half_a_cell || std::hypot(gx, gy) < 0.05));
        CHECK(distance(p, lines) <= half_a_cell);  // none is missed
      }
    for (const Polyline& line : lines)
      for (const PlanePoint& p : line.points)
        CHECK(distance(p, truth) <= half_a_cell);  // none made up
  }
}

TEST_CASE("contour: a circle that leaves the grid is four open lines from border to border") {
  const FieldView field =
      sampled(31, 29, -1, 1, -1, 1, [](double x, double y) { return x * x + y * y; });
  const std::vector<Polyline> lines = contour_lines(field, 1.3);
  REQUIRE(lines.size() == 4);
  for (const Polyline& line : lines) {
    CHECK(!line.closed);
    for (const PlanePoint& end : {line.points.front(), line.points.back()})
      CHECK(std::max(std::abs(end.x), std::abs(end.y)) == 1);
  }
}

TEST_CASE("contour: the centre decides a saddle") {
  // High corners: lower left and upper right; the mean of the corners is 0.5.
  const FieldView cell{{0, 1}, {0, 1}, {1, 0, 0, 1}};
  const auto on_high_corners = [](const Polyline& line) {
    const PlanePoint a = line.points.front(), b = line.points.back();
    const double sum = 0.5 * (a.x + b.x + a.y + b.y);  // 0 or 2 at high corners, 1 at low ones
    return std::abs(sum - 1) > 0.5;
  };
  for (double level : {0.4, 0.6}) {
    CAPTURE(level);
    const std::vector<Polyline> lines = contour_lines(cell, level);
    REQUIRE(lines.size() == 2);
    for (const Polyline& line : lines) CHECK(on_high_corners(line) == (level > 0.5));
    const std::vector<Polyline> region = region_above(cell, level);
    CHECK(region.size() == (level > 0.5 ? 2 : 1));
    CHECK(std::abs(area(region) - (level > 0.5 ? 0.4 * 0.4 : 1 - 0.4 * 0.4)) <= 1e-12);
  }
}

TEST_CASE("contour: a level that passes through grid points") {
  const auto straight = sampled(9, 6, 0, 4, 0, 1, [](double x, double) { return x; });
  std::vector<Polyline> lines = contour_lines(straight, straight.x[3]);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].points.size() == 6);
  for (const PlanePoint& p : lines[0].points) CHECK(p.x == straight.x[3]);

  const auto diagonal = sampled(8, 8, 0, 1, 0, 1, [](double x, double y) { return x - y; });
  lines = contour_lines(diagonal, 0);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].points.size() == 8);
  for (const PlanePoint& p : lines[0].points) CHECK(p.x == p.y);
  CHECK(std::abs(area(region_above(diagonal, 0)) - 0.5) <= 1e-12);
}

TEST_CASE("contour: a constant field and levels out of range have no lines") {
  const auto constant = sampled(5, 4, 0, 2, 0, 1, [](double, double) { return 3.0; });
  for (double level : {2.0, 3.0, 4.0}) CHECK(contour_lines(constant, level).empty());
  CHECK(std::abs(area(region_above(constant, 3)) - 2) <= 1e-12);
  CHECK(region_above(constant, 3.1).empty());
  const auto bowl = sampled(5, 5, -1, 1, -1, 1, [](double x, double y) { return x * x + y * y; });
  CHECK(contour_lines(bowl, -0.1).empty());
  CHECK(contour_lines(bowl, 2.1).empty());
}

TEST_CASE("contour: two by two points") {
  const FieldView cell{{-1, 3}, {10, 20}, {0, 4, 0, 4}};
  const std::vector<Polyline> lines = contour_lines(cell, 1);
  REQUIRE(lines.size() == 1);
  REQUIRE(lines[0].points.size() == 2);
  for (const PlanePoint& p : lines[0].points) CHECK(p.x == 0);
  // Larger values, on the right side of the grid, lie on the left of the line: it runs downwards.
  CHECK(lines[0].points[0].y == 20);
  CHECK(lines[0].points[1].y == 10);
}

TEST_CASE("contour: no line enters a hole, and it ends at its border") {
  FieldView field = sampled(11, 11, -1, 1, -1, 1, [](double x, double) { return x; });
  field.values[5 * 11 + 5] = kNaN;
  const std::vector<Polyline> gone = holes(field);
  CHECK(gone.size() == 2);  // two rows of two cells each
  CHECK(std::abs(area(gone) - (field.x[6] - field.x[4]) * (field.y[6] - field.y[4])) <= 1e-12);
  const std::vector<Polyline> lines = contour_lines(field, field.x[5]);
  REQUIRE(lines.size() == 2);
  for (const Polyline& line : lines)
    for (const PlanePoint& p : line.points) CHECK((p.y <= field.y[4] || p.y >= field.y[6]));
  FieldView empty = field;
  std::fill(empty.values.begin(), empty.values.end(), -kInfinity);
  CHECK(contour_lines(empty, 0).empty());
  CHECK(region_above(empty, 0).empty());
}

TEST_CASE("contour: in noise with holes, regions and lines agree with the field") {
  const FieldView field = noise();
  FieldView negated = field;
  for (double& value : negated.values) value = -value;
  const double solid = 5 - area(holes(field));
  CHECK(std::abs(area(region_above(field, -100)) - solid) <= 1e-9);
  double last = solid;
  for (double level = -1.9; level < 1.9; level += 0.0731) {
    CAPTURE(level);
    const double above = area(region_above(field, level));
    CHECK(above <= last + 1e-12);
    last = above;
    // Both sides of the level together are everything: the saddles' rule is symmetric.
    CHECK(std::abs(above + area(region_above(negated, -level)) - solid) <= 1e-9);
    CHECK(std::abs(length(contour_lines(field, level)) - length(contour_lines(negated, -level))) <=
          1e-9);
  }
}

TEST_CASE("contour: values near the largest double do not overflow") {
  const FieldView field{{0, 1}, {0, 1}, {-1e308, 1.5e308, -1e308, 1.5e308}};
  const std::vector<Polyline> lines = contour_lines(field, 2.5e307);
  REQUIRE(lines.size() == 1);
  for (const PlanePoint& p : lines[0].points) CHECK(std::abs(p.x - 0.5) <= 1e-12);
}

TEST_CASE("levels: round numbers within the range") {
  CHECK(linear_levels(0, 10, 10) == std::vector<double>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  CHECK(linear_levels(0.04, 0.31, 6) == std::vector<double>{0.05, 0.1, 0.15, 0.2, 0.25, 0.3});
  CHECK(linear_levels(-1, 1, 4) == std::vector<double>{-1, -0.5, 0, 0.5, 1});
  CHECK(linear_levels(2, 2, 5).empty());
  CHECK(linear_levels(3, 2, 5).empty());
  CHECK(linear_levels(0, kInfinity, 5).empty());
  CHECK(linear_levels(kNaN, 1, 5).empty());
  CHECK(log_levels(0.001, 1000, 7) == std::vector<double>{0.001, 0.01, 0.1, 1, 10, 100, 1000});
  CHECK(log_levels(0.05, 30, 9) == std::vector<double>{0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20});
  CHECK(log_levels(2, 4, 4) == std::vector<double>{2, 2.5, 3, 3.5, 4});
  CHECK(log_levels(1.53, 6.3, 11) == std::vector<double>{1.75, 2, 2.5, 3, 3.5, 4, 5, 6});
  CHECK(log_levels(0, 4, 4).empty());
  CHECK(log_levels(-1, 4, 4).empty());
  for (double high : {0.0021, 0.7, 12.0, 999.0, 1e9, 1e80, 1e300}) {
    CAPTURE(high);
    for (const std::vector<double>& levels :
         {linear_levels(0.002, high, 10), log_levels(0.002, high, 10)}) {
      CHECK(levels.size() >= 4);
      CHECK(levels.size() <= 20);
      CHECK(std::is_sorted(levels.begin(), levels.end()));
      CHECK(levels.front() >= 0.002 - 1e-9 * high);
      CHECK(levels.back() <= high * (1 + 1e-9));
    }
  }
}

TEST_CASE("contour: an inconsistent field is refused in words") {
  CHECK(
      error_of([] {
        contour_lines({{0, 1, 2}, {0}, {1, 2, 3}}, 1);
      }) ==
      "a field to draw needs at least 2 coordinates in y, got 1: draw a line of points as curves");
  CHECK(error_of([] {
          contour_lines({{0, 1}, {0, 1}, {1, 2, 3}}, 1);
        }) == "a field of 2 by 2 points has 3 values");
  CHECK(error_of([] {
          contour_lines({{0, 0}, {0, 1}, {1, 2, 3, 4}}, 1);
        }) == "the field's x coordinates must increase, but 0 follows 0");
  CHECK(error_of([] {
          contour_lines({{0, 1}, {kNaN, 1}, {1, 2, 3, 4}}, 1);
        }) == "coordinate 0 of the field's y is not finite");
}

TEST_CASE("labels: upright, apart, inside, one per level, each in a gap of its line") {
  const drawing::Rect page{0, 0, 400, 400};
  std::vector<drawing::ContourOnPage> lines;
  for (size_t level = 0; level < 8; ++level) {
    drawing::ContourOnPage contour{{{}, true}, level, 22};
    const double radius = 30.0 + 22.0 * static_cast<double>(level);
    for (int i = 0; i < 90; ++i) {
      const double angle = 2 * std::numbers::pi * i / 90;
      contour.line.points.push_back(
          {200 + radius * std::cos(angle), 200 + radius * std::sin(angle)});
    }
    lines.push_back(contour);
  }
  const auto labels = drawing::place_labels(lines, page, 9, {{{200, 10}, {200, 390}, 15}});
  for (size_t level = 0; level < lines.size(); ++level) {
    CAPTURE(level);
    std::vector<drawing::PlacedLabel> own;
    for (const auto& label : labels)
      if (label.line == level) own.push_back(label);
    REQUIRE(!own.empty());
    const double cut = static_cast<double>(own.size()) * (22 + 2 * 3);
    const double whole = length({lines[level].line});
    CHECK(std::abs(length(drawing::with_gaps(lines[level].line, own)) - (whole - cut)) <= 1e-6);
    for (const auto& label : own) {
      const double radius = 30.0 + 22.0 * static_cast<double>(level);
      CHECK(std::abs(std::hypot(label.centre.x - 200, label.centre.y - 200) - radius) <= 3);
      CHECK(std::abs(label.angle) <= std::numbers::pi / 2);
      CHECK(std::abs(label.centre.x - 200) >= 15 + 4.5);  // the obstacle
      for (const auto& other : labels)
        CHECK((&other == &label || (other.centre.x == label.centre.x && other.line == label.line) ||
               std::hypot(other.centre.x - label.centre.x, other.centre.y - label.centre.y) >= 12));
    }
  }
}

TEST_CASE("labels: none where there is no room, and an open line keeps both its ends") {
  const drawing::Rect page{0, 0, 100, 100};
  const drawing::ContourOnPage tiny{{{{50, 50}, {60, 50}, {55, 58}}, true}, 0, 20};
  CHECK(drawing::place_labels({tiny}, page, 9, {}).empty());
  const drawing::ContourOnPage row{{{{5, 50}, {95, 50}}, false}, 0, 20};
  const auto labels = drawing::place_labels({row}, page, 9, {});
  REQUIRE(labels.size() == 1);
  CHECK(labels[0].angle == 0);
  const auto pieces = drawing::with_gaps(row.line, labels);
  REQUIRE(pieces.size() == 2);
  CHECK(pieces[0].points.front().x == 5);
  CHECK(pieces[1].points.back().x == 95);
  CHECK(std::abs(length(pieces) - (90 - 26)) <= 1e-9);
}
