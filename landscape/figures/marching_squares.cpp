#include "landscape/figures/marching_squares.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "kernels/core/check.h"

namespace topograd {

namespace {

/// Name of a contour's vertex, so that stitching compares integers, not coordinates: 3 * node for a
/// grid node, + 1 for the crossing on the edge to its right, + 2 on the edge above.
using VertexId = int64_t;

struct Edge {
  VertexId from;
  VertexId to;
};

/// Corners and sides of a cell, counter-clockwise from the lower left; side k runs from corner k to
/// corner k + 1.
struct Cell {
  std::array<VertexId, 4> node;
  std::array<VertexId, 4> crossing;
  std::array<bool, 4> inside;
  bool joined;  ///< at a saddle: the two inner corners belong together
};

class Tracer {
 public:
  Tracer(const FieldView& field, double level)
      : field_(field),
        level_(level),
        columns_(static_cast<int64_t>(field.x.size())),
        rows_(static_cast<int64_t>(field.y.size())) {}

  /// Collects the edges of {field >= level}: those inside cells are contour lines; those along
  /// cells' sides are kept, if asked for, where no cell beyond shares them.
  std::vector<Edge> edges(bool with_borders) const {
    std::vector<Edge> found;
    for (int64_t row = 0; row + 1 < rows_; ++row)
      for (int64_t column = 0; column + 1 < columns_; ++column)
        if (solid(row, column)) append_cell(row, column, with_borders, found);
    return found;
  }

  std::vector<Polyline> stitched(std::vector<Edge> edges) const;

 private:
  double value(int64_t row, int64_t column) const {
    return field_.values[static_cast<size_t>(row * columns_ + column)];
  }

  bool solid(int64_t row, int64_t column) const {
    if (row < 0 || column < 0 || row + 1 >= rows_ || column + 1 >= columns_) return false;
    return std::isfinite(value(row, column)) && std::isfinite(value(row, column + 1)) &&
           std::isfinite(value(row + 1, column)) && std::isfinite(value(row + 1, column + 1));
  }

  Cell cell_at(int64_t row, int64_t column) const {
    const VertexId lower = 3 * (row * columns_ + column);
    const VertexId upper = lower + 3 * columns_;
    const std::array<double, 4> v = {value(row, column), value(row, column + 1),
                                     value(row + 1, column + 1), value(row + 1, column)};
    Cell cell;
    cell.node = {lower, lower + 3, upper + 3, upper};
    cell.crossing = {lower + 1, lower + 3 + 2, upper + 1, lower + 2};
    for (size_t k = 0; k < 4; ++k) cell.inside[k] = v[k] >= level_;
    cell.joined = 0.25 * v[0] + 0.25 * v[1] + 0.25 * v[2] + 0.25 * v[3] >= level_;
    return cell;
  }

  void append_cell(int64_t row, int64_t column, bool with_borders, std::vector<Edge>& out) const {
    const Cell cell = cell_at(row, column);
    const std::array<bool, 4> open_side = {!solid(row - 1, column), !solid(row, column + 1),
                                           !solid(row + 1, column), !solid(row, column - 1)};
    for (size_t k = 0; k < 4; ++k) {
      const size_t next = (k + 1) % 4;
      if (cell.inside[k] && !cell.inside[next]) {
        out.push_back({cell.crossing[k], cell.crossing[entry_after(cell, k)]});
      }
      if (!with_borders || !open_side[k] || (!cell.inside[k] && !cell.inside[next])) continue;
      out.push_back({cell.inside[k] ? cell.node[k] : cell.crossing[k],
                     cell.inside[next] ? cell.node[next] : cell.crossing[k]});
    }
  }

  /// Returns the side where the region's boundary, which leaves the cell's outline at side k, is
  /// back.
  static size_t entry_after(const Cell& cell, size_t k) {
    const bool saddle = cell.inside[0] == cell.inside[2] && cell.inside[1] == cell.inside[3];
    if (saddle) return cell.joined ? (k + 1) % 4 : (k + 3) % 4;
    for (size_t side = (k + 1) % 4; side != k; side = (side + 1) % 4)
      if (!cell.inside[side] && cell.inside[(side + 1) % 4]) return side;
    return k;
  }

  PlanePoint position(VertexId id) const {
    const auto node = static_cast<size_t>(id / 3);
    const size_t row = node / field_.x.size();
    const size_t column = node % field_.x.size();
    const PlanePoint from{field_.x[column], field_.y[row]};
    if (id % 3 == 0) return from;
    const bool along_x = id % 3 == 1;
    const double v0 = field_.at(row, column);
    const double v1 = along_x ? field_.at(row, column + 1) : field_.at(row + 1, column);
    // Halved, so that no difference of two finite values overflows.
    const double t = (0.5 * level_ - 0.5 * v0) / (0.5 * v1 - 0.5 * v0);
    if (along_x) return {std::lerp(from.x, field_.x[column + 1], t), from.y};
    return {from.x, std::lerp(from.y, field_.y[row + 1], t)};
  }

  /// Drops points that coincide with their neighbour: a level met exactly at a node.
  Polyline polyline(const std::vector<VertexId>& chain, bool closed) const {
    Polyline line{{}, closed};
    const auto same = [](PlanePoint a, PlanePoint b) { return a.x == b.x && a.y == b.y; };
    for (VertexId id : chain) {
      const PlanePoint p = position(id);
      if (line.points.empty() || !same(line.points.back(), p)) line.points.push_back(p);
    }
    while (closed && line.points.size() > 1 && same(line.points.front(), line.points.back()))
      line.points.pop_back();
    return line;
  }

  const FieldView& field_;
  double level_;
  int64_t columns_;
  int64_t rows_;
};

std::vector<Polyline> Tracer::stitched(std::vector<Edge> edges) const {
  const auto by_from = [](const Edge& a, const Edge& b) { return a.from < b.from; };
  std::sort(edges.begin(), edges.end(), by_from);
  std::vector<VertexId> entered;
  for (const Edge& e : edges) entered.push_back(e.to);
  std::sort(entered.begin(), entered.end());
  std::vector<bool> used(edges.size(), false);
  std::vector<Polyline> lines;

  const auto follow = [&](size_t first) {
    std::vector<VertexId> chain = {edges[first].from};
    size_t current = first;
    for (;;) {
      used[current] = true;
      const VertexId at = edges[current].to;
      auto next = std::lower_bound(edges.begin(), edges.end(), Edge{at, 0}, by_from);
      while (next != edges.end() && next->from == at && used[size_t(next - edges.begin())]) ++next;
      const bool more = next != edges.end() && next->from == at;
      if (at == chain.front() || !more) {
        const bool closed = at == chain.front();
        if (!closed) chain.push_back(at);
        Polyline line = polyline(chain, closed);
        if (line.points.size() >= (closed ? 3u : 2u)) lines.push_back(std::move(line));
        return;
      }
      chain.push_back(at);
      current = static_cast<size_t>(next - edges.begin());
    }
  };
  // Open lines first, from where nothing enters; what is left are loops.
  for (size_t i = 0; i < edges.size(); ++i)
    if (!std::binary_search(entered.begin(), entered.end(), edges[i].from)) follow(i);
  for (size_t i = 0; i < edges.size(); ++i)
    if (!used[i]) follow(i);
  return lines;
}

/// Rounds to 12 decimal digits: 3 * 0.1 becomes 0.3.
double rounded(double value) {
  std::array<char, 32> digits;
  std::snprintf(digits.data(), digits.size(), "%.12g", value);
  return std::strtod(digits.data(), nullptr) + 0.0;  // + 0.0: -0 becomes 0
}

/// Returns the mantissas within every `stride`-th decade.
std::vector<double> decade_levels(double low, double high, const std::vector<double>& mantissas,
                                  int stride) {
  std::vector<double> levels;
  const int first = static_cast<int>(std::floor(std::log10(low)));
  const int last = static_cast<int>(std::ceil(std::log10(high)));
  for (int exponent = first; exponent <= last; ++exponent)
    for (double mantissa : mantissas) {
      if (exponent % stride != 0) continue;
      const double level = rounded(mantissa * std::pow(10.0, exponent));
      if (level >= low && level <= high) levels.push_back(level);
    }
  return levels;
}

void check_axis(const std::vector<double>& axis, std::string_view name) {
  require(axis.size() >= 2, "a field to draw needs at least 2 coordinates in ", name, ", got ",
          axis.size(), ": draw a line of points as curves");
  for (size_t i = 0; i < axis.size(); ++i) {
    require(std::isfinite(axis[i]), "coordinate ", i, " of the field's ", name, " is not finite");
    require(i == 0 || axis[i] > axis[i - 1], "the field's ", name,
            " coordinates must increase, but ", axis[i], " follows ", axis[i == 0 ? 0 : i - 1]);
  }
}

/// Indices of the values at a cell's corners.
using CellCorners = std::array<size_t, 4>;

template <class Predicate>
int64_t corners_that_are(const CellCorners& corners, const Predicate& is) {
  return std::count_if(corners.begin(), corners.end(), is);
}

/// Returns rectangles over the cells that are so, one for each run along a row.
template <class Predicate>
std::vector<Polyline> cells_that(const FieldView& field, const Predicate& are) {
  field.check();
  std::vector<Polyline> found;
  const size_t columns = field.x.size(), cells = columns - 1;
  for (size_t row = 0; row + 1 < field.y.size(); ++row) {
    const auto is_one = [&](size_t column) {
      const size_t i = row * columns + column;
      return are(CellCorners{i, i + 1, i + columns, i + columns + 1});
    };
    for (size_t begin = 0, end = 0; begin < cells; begin = end + 1) {
      for (end = begin; end < cells && is_one(end);) ++end;
      if (end == begin) continue;
      const double x0 = field.x[begin], x1 = field.x[end];
      const double y0 = field.y[row], y1 = field.y[row + 1];
      found.push_back({{{x0, y0}, {x1, y0}, {x1, y1}, {x0, y1}}, true});
    }
  }
  return found;
}

}  // namespace

void FieldView::check() const {
  check_axis(x, "x");
  check_axis(y, "y");
  require(values.size() == x.size() * y.size(), "a field of ", x.size(), " by ", y.size(),
          " points has ", values.size(), " values");
  require(to_do.empty() || to_do.size() == values.size(), "a field of ", values.size(),
          " values says of ", to_do.size(), " whether they are to do");
}

std::vector<Polyline> contour_lines(const FieldView& field, double level) {
  field.check();
  const Tracer tracer(field, level);
  return tracer.stitched(tracer.edges(false));
}

std::vector<Polyline> region_above(const FieldView& field, double level) {
  field.check();
  const Tracer tracer(field, level);
  return tracer.stitched(tracer.edges(true));
}

std::vector<Polyline> holes(const FieldView& field) {
  return cells_that(field, [&](const CellCorners& corners) {
    return corners_that_are(corners, [&](size_t i) { return field.is_to_do(i); }) == 0 &&
           corners_that_are(corners, [&](size_t i) { return !std::isfinite(field.values[i]); }) > 0;
  });
}

std::vector<Polyline> unfinished(const FieldView& field) {
  return cells_that(field, [&](const CellCorners& corners) {
    return corners_that_are(corners, [&](size_t i) { return field.is_to_do(i); }) > 0;
  });
}

std::vector<double> linear_levels(double low, double high, int target) {
  std::vector<double> levels;
  if (!(low < high) || !std::isfinite(high - low) || target < 1) return levels;
  const double rough = (high - low) / target;
  const double decade = std::pow(10.0, std::floor(std::log10(rough)));
  double step = 10 * decade;
  for (double nice : {5.0, 2.0, 1.0})
    if (nice * decade >= 0.75 * rough) step = nice * decade;
  const double slack = 1e-9 * step;  // a bound that is a level but for rounding is a level
  const double first = std::ceil((low - slack) / step);
  for (int i = 0; (first + i) * step <= high + slack && i <= 2 * target; ++i)
    levels.push_back(rounded((first + i) * step));
  return levels;
}

std::vector<double> log_levels(double low, double high, int target) {
  if (!(low > 0) || !(low < high) || !std::isfinite(high) || target < 1) return {};
  if (high < 4 * low) return linear_levels(low, high, target);
  const double decades = std::log10(high) - std::log10(low);
  const int stride = std::max(1, static_cast<int>(std::ceil(decades / target - 0.5)));
  std::vector<double> best = decade_levels(low, high, {1}, stride);
  for (const std::vector<double>& mantissas :
       std::vector<std::vector<double>>{{1, 3},
                                        {1, 2, 5},
                                        {1, 1.5, 2, 3, 5, 7},
                                        {1, 1.25, 1.5, 1.75, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9}}) {
    const std::vector<double> levels = decade_levels(low, high, mantissas, 1);
    const auto distance = [&](const std::vector<double>& l) {
      return std::abs(static_cast<int>(l.size()) - target);
    };
    if (distance(levels) < distance(best)) best = levels;
  }
  return best;
}

}  // namespace topograd
