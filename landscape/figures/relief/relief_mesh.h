// A field as a relief in a box: heights on a fine mesh, and what of it a camera sees.
#pragma once

#include "landscape/figures/figure.h"
#include "landscape/figures/relief/camera.h"
#include "landscape/figures/relief/relief.h"
#include "landscape/figures/scale.h"

namespace topograd::drawing {

/// Field on a fine, even mesh, of `points` along its longer side, in a box of a height.
class ReliefMesh {
 public:
  ReliefMesh(const FieldView& field, const ValueScale& scale, double height, int points);

  const HeightField& field() const { return fine_; }
  const Point3& box() const { return box_; }

  /// Returns whether nothing lies between a point of the relief and the camera.
  bool is_open(const Point3& point, const Point3& camera) const;
  /// Returns where a point of the plane lies on the relief; its height is NaN outside and in holes.
  Point3 on(const PlanePoint& p) const;

 private:
  double height_at(double x, double y) const;
  void refine(const FieldView& field, const ValueScale& scale, int points);

  double x_low_, y_low_, x_range_, y_range_;
  Point3 box_;
  HeightField fine_;
};

}  // namespace topograd::drawing
