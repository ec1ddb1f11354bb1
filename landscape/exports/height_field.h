// A surface as heights over a grid: what meshes are made of.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "landscape/surface/surface.h"

namespace topograd {

/// The surface with both axes ascending: points, planes and mask reordered where they are not.
/// Throws Error where a coordinate occurs twice.
Surface with_ascending_axes(const Surface& surface);

/// The plane that is the height, and how it is scaled.
struct HeightOptions {
  std::string plane;                ///< empty: train_loss, or the first plane there is
  bool log = false;                 ///< the decimal logarithm
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

/// The plane that the options mean. Throws Error where the surface has none of this name.
std::string height_plane(const Surface& surface, const HeightOptions& options);

/// Heights of values; of a logarithm, values at or below 0 count as the smallest above it. NaN
/// where a value is not finite. Throws Error where no value has a logarithm, or `vmax` has none.
std::vector<double> heights_of(const std::vector<double>& values, const HeightOptions& options,
                               const std::string& name);

/// Throws Error for a line, a grid of a single row or column, and one without a finite value.
HeightField height_field(const Surface& surface, const HeightOptions& options);

/// The corners of every cell whose four heights are finite, counter-clockwise seen from above, as
/// places in `z`.
std::vector<std::array<int64_t, 4>> quads_of(const HeightField& field);

/// A model's size, of the units that a slicer takes for millimetres.
struct ModelSize {
  double width = 100;  ///< the longer side; the other in proportion
  double height = 40;  ///< from the lowest point of the surface to the highest
  double base = 4;     ///< stl: from the bottom to the lowest point
};

/// The field scaled to a size: from 0 to the longer side's width, and z from 0 to the height (0
/// where all heights are equal). The sides keep their proportion, as coordinates of the plane.
HeightField scaled_to(HeightField field, const ModelSize& size);

}  // namespace topograd
