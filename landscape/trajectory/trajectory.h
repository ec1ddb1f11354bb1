// A training trajectory in a plane: principal components (PCA) of its checkpoints, coordinates in
// any plane, and the components of a random walk for comparison.
#pragma once

#include <vector>

#include "kernels/core/thread_pool.h"

namespace topograd {

/// Returns differences of checkpoints from a centre, [checkpoints, parameters] f32 on the CPU: row
/// e is theta_e - centre. Throws Error if sizes differ.
Tensor steps_from(const Tensor& centre, const std::vector<Tensor>& thetas);

struct PrincipalComponents {
  /// Directions of the first components: orthonormal, the last row's coordinate not negative.
  std::vector<Tensor> directions;
  // Values of all components, one less than the rows:
  std::vector<double> explained;  ///< shares of the variance
  std::vector<double> variances;  ///< sample variances, divided by n - 1
  std::vector<double> singular_values;
};

/// Returns the principal components of the centred rows, with the directions of the first `count`,
/// as scikit-learn's PCA. Exact for any number of parameters: they come from the small Gram matrix
/// of the rows, in double. Throws Error unless 1 <= count < rows, or if the rows span fewer
/// dimensions.
PrincipalComponents principal_components(const Tensor& rows, int count, ThreadPool& pool);

/// Returns the shares of the variance that a random walk's first components explain on average, in
/// so many dimensions that its steps are orthogonal: 1 / (2 - 2 cos(pi k / n)) over (n^2 - 1) / 6
/// for n points (J. Antognini, J. Sohl-Dickstein, "PCA of High Dimensional Random Walks with
/// Comparison to Neural Network Training", NeurIPS 2018). The first explains about 0.6: even a
/// random walk looks smooth in its own principal components. Throws Error unless points > count.
std::vector<double> random_walk_explained(int64_t points, int count);

/// Coordinates of rows on a plane: row = x dx + y dy + residual, by least squares, for any lengths
/// of dx and dy and any angle between them.
struct PlaneCoordinates {
  std::vector<double> x, y;
  std::vector<double> distance;  ///< distance from the plane: the length of the residual
  std::vector<double> length;    ///< length of the row
};

/// Returns the coordinates of rows on the plane of dx and dy; on a line, with y 0, if dy is
/// undefined. Throws Error if dx and dy are parallel or dx is zero.
PlaneCoordinates plane_coordinates(const Tensor& rows, const Tensor& dx, const Tensor& dy,
                                   ThreadPool& pool);

/// Returns the share of the rows' variance that lies in the plane: the variance of their
/// projections over their own.
double variance_in_plane(const Tensor& rows, const PlaneCoordinates& coordinates, const Tensor& dx,
                         const Tensor& dy, ThreadPool& pool);

}  // namespace topograd
