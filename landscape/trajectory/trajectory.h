// A trajectory of training, seen in a plane: principal components of its checkpoints, coordinates
// in any plane, and what a random walk would look like.
#pragma once

#include <vector>

#include "kernels/core/thread_pool.h"

namespace topograd {

/// Differences of checkpoints from a centre: row e is theta_e - centre, [checkpoints, parameters]
/// f32 on the CPU.
Tensor steps_from(const Tensor& centre, const std::vector<Tensor>& thetas);

struct PrincipalComponents {
  /// Of the first ones: of length 1, orthogonal, with the sign that has the last row on its right.
  std::vector<Tensor> directions;
  // Of all there are, one less than there are rows:
  std::vector<double> explained;  ///< shares of the variance
  std::vector<double> variances;  ///< of a sample, divided by n - 1
  std::vector<double> singular_values;
};

/// The principal components of the rows, with the directions of the first `count`, after their mean
/// was taken out, from the small matrix of their products with one another (in double): exact,
/// however many parameters there are. As scikit-learn's PCA. At most as many as there are rows less
/// one.
PrincipalComponents principal_components(const Tensor& rows, int count, ThreadPool& pool);

/// The shares of the variance that a random walk's first components explain on average, in so many
/// dimensions that its steps are orthogonal: 1 / (2 - 2 cos(pi k / n)) over (n^2 - 1) / 6 for n
/// points (J. Antognini, J. Sohl-Dickstein, "PCA of High Dimensional Random Walks with Comparison
/// to Neural Network Training", NeurIPS 2018). Six tenths on the first alone: a picture of a
/// trajectory in its own principal components looks orderly whatever happened.
std::vector<double> random_walk_explained(int64_t points, int count);

/// Where rows lie on a plane: row = x dx + y dy + what is outside, by least squares, whatever the
/// lengths of dx and dy and the angle between them.
struct PlaneCoordinates {
  std::vector<double> x, y;
  std::vector<double> distance;  ///< from the plane: the length of what is outside
  std::vector<double> length;    ///< of the rows
};

/// `dy` undefined: coordinates on a line, y is 0.
PlaneCoordinates plane_coordinates(const Tensor& rows, const Tensor& dx, const Tensor& dy,
                                   ThreadPool& pool);

/// The share of the rows' variance that lies in the plane: of the variance of their projections
/// onto it in their own.
double variance_in_plane(const Tensor& rows, const PlaneCoordinates& coordinates, const Tensor& dx,
                         const Tensor& dy, ThreadPool& pool);

}  // namespace topograd
