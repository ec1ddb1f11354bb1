// The ten shapes of the synthetic data set, as distance functions.
#pragma once

#include <string>
#include <vector>

namespace topograd {

struct Point {
  float x, y;
};

/// How far p lies outside (positive) or inside (negative) shape `label`, in the units of p: the
/// shape fits the unit disc around the origin. Near its edge this is the distance to it (I. Quilez,
/// "2D distance functions"), which is all that drawing with smooth edges needs.
float shape_distance(int label, Point p);

/// What the labels mean, in their order: ten names.
const std::vector<std::string>& shape_names();

}  // namespace topograd
