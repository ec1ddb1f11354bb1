// A surface as heights over a grid: what meshes are made of.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "landscape/surface/surface.h"

namespace topograd {

/// Returns the surface with both axes ascending: points, planes and mask are reordered if needed.
/// Throws Error where a coordinate occurs twice.
Surface with_ascending_axes(const Surface& surface);

/// Settings of heights: the plane, and how it is scaled.
struct HeightOptions {
  std::string plane;                ///< empty: train_loss, or the first plane there is
  bool log = false;                 ///< take the decimal logarithm
  std::optional<double> vmax = {};  ///< larger values count as this one
};

/// Heights over a grid of ascending axes, in the plane's units or its logarithm's.
struct HeightField {
  std::vector<double> x, y;
  /// [y][x]; NaN where the value is not finite: points to do, and losses that are NaN or infinite.
  std::vector<double> z;
  double low = 0, high = 0;  ///< the smallest and largest finite height
  int64_t missing = 0;       ///< how many are NaN
  std::string name;          ///< "train_loss" or "log10(train_loss)"

  int64_t nx() const { return static_cast<int64_t>(x.size()); }
  int64_t ny() const { return static_cast<int64_t>(y.size()); }
  int64_t points() const { return nx() * ny(); }
  double height(int64_t ix, int64_t iy) const { return z[static_cast<size_t>(iy * nx() + ix)]; }
};

/// Returns the name of the plane that the options mean. Throws Error where the surface has none of
/// this name.
std::string height_plane(const Surface& surface, const HeightOptions& options);

/// Returns the heights of values, NaN where a value is not finite. On a logarithmic scale values at
/// or below 0 count as the smallest positive one. Throws Error where no value has a logarithm, or
/// `vmax` has none.
std::vector<double> heights_of(const std::vector<double>& values, const HeightOptions& options,
                               const std::string& name);

/// Returns the surface's heights. Throws Error for a line, a grid of a single row or column, and a
/// plane without a finite value.
HeightField height_field(const Surface& surface, const HeightOptions& options);

/// Returns the corners of every cell whose four heights are finite, counter-clockwise seen from
/// above, as indices into `z`.
std::vector<std::array<int64_t, 4>> quads_of(const HeightField& field);

/// Size of a model, in the units that a slicer takes for millimetres.
struct ModelSize {
  double width = 100;  ///< length of the longer side; the other in proportion
  double height = 40;  ///< lowest to highest point of the surface
  double base = 4;     ///< bottom to lowest point, stl only
};

/// Returns the field scaled to a size: the longer side from 0 to the width, the other one in
/// proportion to the plane's coordinates, and z from 0 to the height (0 where all are equal).
HeightField scaled_to(HeightField field, const ModelSize& size);

}  // namespace topograd
