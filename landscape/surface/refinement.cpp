#include "landscape/surface/refinement.h"

#include <algorithm>

namespace topograd {

namespace {

/// Returns the level at which an axis of n points has all its points.
int64_t finest_level(int64_t n) {
  int64_t level = 0;
  while ((int64_t{1} << level) < n - 1) ++level;
  return level;
}

/// Returns the first level that has a point, for every point of an axis.
std::vector<int64_t> first_levels(int64_t n, int64_t levels) {
  std::vector<int64_t> first(static_cast<size_t>(n), levels);
  for (int64_t level = levels - 1; level >= 0; --level)
    for (int64_t i : Refinement::indices(n, level)) first[static_cast<size_t>(i)] = level;
  return first;
}

/// Returns the surface on some of its columns and rows.
Surface part_of(const Surface& surface, const std::vector<int64_t>& columns,
                const std::vector<int64_t>& rows) {
  std::vector<double> x, y;
  for (int64_t ix : columns) x.push_back(surface.x()[static_cast<size_t>(ix)]);
  if (!surface.is_line())
    for (int64_t iy : rows) y.push_back(surface.y()[static_cast<size_t>(iy)]);
  Surface part(x, y);
  part.dir_file = surface.dir_file;
  part.provenance = surface.provenance;
  for (const auto& [name, values] : surface.planes()) {
    std::vector<double>& own = part.add_plane(name);
    size_t to = 0;
    for (int64_t iy : rows)
      for (int64_t ix : columns) own[to++] = values[static_cast<size_t>(surface.index(ix, iy))];
  }
  for (int64_t i = 0; i < part.points(); ++i) part.mark_done(i);
  return part;
}

}  // namespace

Refinement::Refinement(int64_t nx, int64_t ny)
    : nx_(nx), ny_(ny), levels_(1 + std::max(finest_level(nx), finest_level(ny))) {}

std::vector<int64_t> Refinement::indices(int64_t n, int64_t level) {
  const int64_t last = n - 1, steps = int64_t{1} << level;
  std::vector<int64_t> result;
  for (int64_t k = 0; k <= steps; ++k) {
    const int64_t i = (2 * k * last + steps) / (2 * steps);  // k last / steps, rounded
    if (result.empty() || result.back() != i) result.push_back(i);
  }
  return result;
}

std::vector<int64_t> Refinement::order() const {
  const std::vector<int64_t> of_x = first_levels(nx_, levels_), of_y = first_levels(ny_, levels_);
  std::vector<std::vector<int64_t>> by_level(static_cast<size_t>(levels_));
  for (int64_t iy = 0; iy < ny_; ++iy)
    for (int64_t ix = 0; ix < nx_; ++ix) {
      const int64_t level = std::max(of_x[static_cast<size_t>(ix)], of_y[static_cast<size_t>(iy)]);
      by_level[static_cast<size_t>(level)].push_back(iy * nx_ + ix);
    }
  std::vector<int64_t> order;
  for (const auto& level : by_level) order.insert(order.end(), level.begin(), level.end());
  return order;
}

std::vector<int64_t> points_to_do(const Surface& surface) {
  std::vector<int64_t> points = Refinement(surface.nx(), surface.ny()).order();
  std::erase_if(points, [&](int64_t point) { return surface.done(point); });
  return points;
}

std::optional<Surface> finest_complete_level(const Surface& surface) {
  for (int64_t level = Refinement(surface.nx(), surface.ny()).levels() - 1; level >= 0; --level) {
    const std::vector<int64_t> columns = Refinement::indices(surface.nx(), level);
    const std::vector<int64_t> rows = Refinement::indices(surface.ny(), level);
    const bool complete = std::all_of(rows.begin(), rows.end(), [&](int64_t iy) {
      return std::all_of(columns.begin(), columns.end(),
                         [&](int64_t ix) { return surface.done(surface.index(ix, iy)); });
    });
    if (complete) return part_of(surface, columns, rows);
  }
  return std::nullopt;
}

}  // namespace topograd
