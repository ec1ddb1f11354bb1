// Planes given by networks or by vectors instead of random directions.
#pragma once

#include "kernels/core/context.h"
#include "landscape/directions/direction_file.h"

namespace topograd {

/// An orthonormal basis of the plane through a network and two others that x and y lead to, by
/// Gram-Schmidt: x / |x|, and the normalised part of y orthogonal to x. Lengths and angles are
/// those of the parameters; states are combined alike, so that they are right at all three
/// networks.
struct OrthonormalPlane {
  Directions basis;
  double first_x = 0;                 ///< the network that x leads to: (first_x, 0)
  double second_x = 0, second_y = 0;  ///< the network that y leads to
};
/// Returns the basis. Throws Error if the three networks lie on one line.
OrthonormalPlane orthonormal_plane(const Direction& x, const Direction& y);

/// Returns a direction scaled tensor by tensor, as random_direction() does. This changes its angle:
/// a scaled eigenvector is not an eigenvector. Tensors of one axis become 0 with Ignore::biasbn and
/// stay unchanged with Ignore::none.
Direction normalised(const Direction& direction, const ParameterLayout& layout, const Tensor& theta,
                     DirectionNorm norm, Ignore ignore);

/// Returns the network at a point of a plane through another: parameters, and states where the
/// directions have any, formed in double and rounded once.
ModelState at_point(const ModelState& centre, const Directions& plane, double alpha, double beta,
                    Context& host);

/// Returns a direction of a vector of theta's length times a factor, formed in double.
Direction scaled(const Tensor& vector, double factor);

}  // namespace topograd
