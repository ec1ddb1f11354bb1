// A field as a lit relief: a fine mesh of heights, and how much light falls on each of its points.
#pragma once

#include <cstddef>
#include <vector>

namespace topograd::drawing {

/// Heights of [ny][nx] points; NaN is a hole.
struct HeightField {
  std::vector<double> x, y;      ///< increasing
  std::vector<double> z;         ///< in the units of x and y
  std::vector<double> fraction;  ///< place on the scale of colours, 0 to 1

  size_t at(size_t row, size_t column) const { return row * x.size() + column; }
};

/// Direction that the light comes from: radians, the azimuth from x towards y.
struct Light {
  double azimuth = 0;
  double elevation = 0.7;
};

/// Light at each point of a field.
struct Lit {
  std::vector<double> brightness;  ///< 1 on level ground in the open; up to about 1.4
  std::vector<double> gloss;       ///< 0 to 1: light that is reflected towards `viewer`
};

struct Direction3 {
  double x, y, z;
};

/// Returns sunlight with cast shadows, and skylight, of which hollows get less (ambient occlusion).
/// `viewer` is the direction to the viewer, of length 1.
Lit lit(const HeightField& field, const Light& light, const Direction3& viewer);

}  // namespace topograd::drawing
