// Planes that are given by networks or by vectors, in place of random directions.
#pragma once

#include "landscape/directions/direction_file.h"

namespace topograd {

/// An orthonormal basis of the plane through a network and two others that x and y lead to, by Gram
/// and Schmidt: x / |x|, and what of y is orthogonal to it. Lengths and angles are those of the
/// parameters; states go along, so that they are right at all three networks.
struct OrthonormalPlane {
  Directions basis;
  double first_x = 0;                 ///< the network that x led to: (first_x, 0)
  double second_x = 0, second_y = 0;  ///< the one that y led to
};
/// Throws Error where the three lie on one line.
OrthonormalPlane orthonormal_plane(const Direction& x, const Direction& y);

/// A direction that is not random, scaled as random_direction() scales its own, tensor by tensor.
/// That turns it: an eigenvector is one no longer. Tensors of one axis become 0 with
/// Ignore::biasbn and stay as they are with Ignore::none.
Direction normalised(const Direction& direction, const ParameterLayout& layout, const Tensor& theta,
                     DirectionNorm norm, Ignore ignore);

/// A vector of theta's length times a factor, formed in double.
Direction scaled(const Tensor& vector, double factor);

}  // namespace topograd
