#include "landscape/exports/height_field.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/core/check.h"
#include "kernels/core/numbers.h"

namespace topograd {

namespace {

/// Returns the indices of an axis's coordinates, smallest first.
std::vector<size_t> ascending(const std::vector<double>& axis, const char* name) {
  std::vector<size_t> order(axis.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return axis[a] < axis[b]; });
  for (size_t i = 1; i < order.size(); ++i)
    require(axis[order[i - 1]] < axis[order[i]], "the surface has two points at ", name, " = ",
            axis[order[i]], ": it has no mesh; choose npz, json or csv");
  return order;
}

std::vector<double> reordered(const std::vector<double>& values, const std::vector<size_t>& order) {
  std::vector<double> result;
  for (size_t place : order) result.push_back(values[place]);
  return result;
}

void scale_axis(std::vector<double>& axis, double factor) {
  const double begin = axis.front();
  for (double& v : axis) v = (v - begin) * factor;
}

}  // namespace

Surface with_ascending_axes(const Surface& surface) {
  const std::vector<size_t> x = ascending(surface.x(), "x"), y = ascending(surface.y(), "y");
  std::vector<size_t> order;  // point indices
  for (int64_t iy = 0; iy < surface.ny(); ++iy)
    for (size_t ix : x)
      order.push_back((surface.is_line() ? 0 : y[static_cast<size_t>(iy)]) * x.size() + ix);
  Surface result(reordered(surface.x(), x), reordered(surface.y(), y));
  for (const auto& [name, values] : surface.planes())
    result.add_plane(name) = reordered(values, order);
  for (size_t i = 0; i < order.size(); ++i)
    if (surface.done(static_cast<int64_t>(order[i]))) result.mark_done(static_cast<int64_t>(i));
  result.dir_file = surface.dir_file;
  result.provenance = surface.provenance;
  return result;
}

std::string height_plane(const Surface& surface, const HeightOptions& options) {
  require(!surface.planes().empty(), "the surface has no values at all");
  std::string name = options.plane;
  if (name.empty())
    name = surface.has_plane("train_loss") ? "train_loss" : surface.planes().begin()->first;
  surface.plane(name);  // throws Error, listing the planes, if it has none of this name
  return name;
}

std::vector<double> heights_of(const std::vector<double>& values, const HeightOptions& options,
                               const std::string& name) {
  double smallest_positive = kInfinity;
  bool any = false;
  for (double v : values) {
    any = any || std::isfinite(v);
    if (std::isfinite(v) && v > 0) smallest_positive = std::min(smallest_positive, v);
  }
  const double vmax = options.vmax.value_or(kInfinity);
  require(!options.log || vmax > 0, "--vmax ", vmax, " has no logarithm: leave out --log");
  require(!options.log || !any || std::isfinite(smallest_positive), "no value of ", name,
          " is above 0: leave out --log");
  std::vector<double> heights;
  for (double v : values) {
    const double clipped = std::min(v, vmax);
    if (!std::isfinite(v))
      heights.push_back(std::numeric_limits<double>::quiet_NaN());
    else
      heights.push_back(
          options.log ? std::log10(std::max(clipped, std::min(smallest_positive, vmax))) : clipped);
  }
  return heights;
}

HeightField height_field(const Surface& given, const HeightOptions& options) {
  require(given.nx() > 1 && given.ny() > 1, "a surface of ", given.ny(), " x ", given.nx(),
          " points has no mesh: choose npz, json or csv");
  const Surface surface = with_ascending_axes(given);
  const std::string plane = height_plane(surface, options);
  HeightField field;
  field.x = surface.x();
  field.y = surface.y();
  field.z = heights_of(surface.plane(plane), options, plane);
  field.name = options.log ? text("log10(", plane, ")") : plane;
  field.low = kInfinity;
  field.high = -kInfinity;
  for (double z : field.z) {
    if (std::isnan(z)) {
      ++field.missing;
      continue;
    }
    field.low = std::min(field.low, z);
    field.high = std::max(field.high, z);
  }
  require(field.low <= field.high, "no value of ", plane, " is finite: there is no mesh");
  return field;
}

std::vector<std::array<int64_t, 4>> quads_of(const HeightField& field) {
  std::vector<std::array<int64_t, 4>> quads;
  for (int64_t iy = 0; iy + 1 < field.ny(); ++iy)
    for (int64_t ix = 0; ix + 1 < field.nx(); ++ix) {
      const int64_t at = iy * field.nx() + ix;
      const std::array<int64_t, 4> quad = {at, at + 1, at + 1 + field.nx(), at + field.nx()};
      if (std::all_of(quad.begin(), quad.end(), [&](int64_t corner) {
            return std::isfinite(field.z[static_cast<size_t>(corner)]);
          }))
        quads.push_back(quad);
    }
  return quads;
}

HeightField scaled_to(HeightField field, const ModelSize& size) {
  const double side = std::max(field.x.back() - field.x.front(), field.y.back() - field.y.front());
  scale_axis(field.x, size.width / side);
  scale_axis(field.y, size.width / side);
  const double range = field.high - field.low;
  for (double& z : field.z) z = range > 0 ? (z - field.low) / range * size.height : z - field.low;
  field.high = range > 0 ? size.height : 0;
  field.low = 0;
  return field;
}

}  // namespace topograd
