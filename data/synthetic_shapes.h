// The ten shapes of the synthetic data set, as signed distance functions.
#pragma once

#include <string>
#include <vector>

namespace topograd {

struct Point {
  float x, y;
};

/// Returns how far p lies outside (positive) or inside (negative) shape `label`, which fits the
/// unit disc around the origin. Only near the edge is this the distance to it (I. Quilez, "2D
/// distance functions"), which suffices to draw smooth edges.
float shape_distance(int label, Point p);

/// Returns the ten shapes' names, by label.
const std::vector<std::string>& shape_names();

}  // namespace topograd
