// Eigenvalues of a large symmetric matrix that is known by its products alone: Lanczos' method with
// full reorthogonalisation and thick restarts (K. Wu, H. Simon, "Thick-Restart Lanczos Method for
// Large Symmetric Eigenvalue Problems", SIAM J. Matrix Anal. Appl. 22, 2000).
#pragma once

#include <functional>
#include <vector>

#include "kernels/core/context.h"
#include "kernels/core/tensor.h"

namespace topograd {

/// Sets product = A v for flat f32 vectors on one device; A is symmetric.
using LinearOperator = std::function<void(const Tensor& product, const Tensor& v)>;

struct Eigenpair {
  double value = 0;
  /// |A x - value x| / |x| of one more product, formed in double, and with LanczosOptions::nearby what
  /// the product itself may be off by: an eigenvalue lies no further away. NaN where `progress`
  /// stopped before.
  double residual = 0;
  Tensor vector;  ///< [n], of length 1
};

struct LanczosOptions {
  int largest = 1, smallest = 1;  ///< eigenvalues wanted at either end of the spectrum
  /// Bound of residuals, as a share of each |eigenvalue|, or of `floor` times the largest
  /// |eigenvalue| where that is more. At a floor of 1 all are held to the largest one's size, and a
  /// small eigenvalue at the other end may be missed: beside one of 1e5, a vector that hardly knows
  /// of one of -60 has a residual of 1e-5 already.
  double tolerance = 1e-3, floor = 1;
  /// Vectors kept at a time: more need fewer products in all. At least largest + smallest + 3;
  /// 0: twice as many as are wanted, and 20 more.
  int basis = 0;
  /// Most products, those that measure the residuals among them: for every eigenvalue one, with
  /// `nearby` two, and at least one more.
  int max_products = 1000;
  uint64_t seed = 1;  ///< seed of the first vector
  /// First vector instead, where it is defined, of any length above 0: an eigenvector nearby
  /// saves products. A hundredth of a random vector is added, so that nothing is out of its reach.
  Tensor start{};
  /// A with what it is made of moved by about as much as rounding moves it: |nearby x - A x| is then
  /// about what a product with x is off by, and added to its residual as a second side of a right
  /// angle. Empty: products are taken for exact.
  LinearOperator nearby{};
  /// Called after every product, with the products so far and the worst of the wanted residuals
  /// that the recurrence expects (infinite at first) as the share that `tolerance` is of. False:
  /// stop.
  std::function<bool(int products, double residual)> progress{};
};

struct ExtremeEigenpairs {
  std::vector<Eigenpair> largest;   ///< from the largest down
  std::vector<Eigenpair> smallest;  ///< from the smallest up
  int products = 0;
  bool converged = false;  ///< whether every measured residual is within the tolerance
  /// Not converged, and more products would not help: the recurrence is, but the products' rounding
  /// in f32 leaves no smaller residuals.
  bool at_rounding = false;
};

/// Finds the ends of the spectrum of an operator on vectors of n elements, on the context's device.
/// Values are Rayleigh quotients, and residuals are measured: a product for every pair, made when
/// the recurrence says that the tolerance is met, and once more at a tenth of it where it is not.
/// Vectors are f32, their products with one another double: residuals end at about 1e-6 of the
/// largest |eigenvalue|. A multiple eigenvalue is found once, unless the basis reaches n.
ExtremeEigenpairs extreme_eigenpairs(const LinearOperator& A, int64_t n,
                                     const LanczosOptions& options, Context& context);

/// Returns about how many products extreme_eigenpairs() takes to find so many eigenvalues of a
/// network's Hessian, those that measure the residuals among them; for plans of its time
/// (docs/results/first-hour.md has the counts that it comes from).
int usual_products(int count, int max_products);

/// A measure on the real line: `weights` at `values`, adding up to 1.
struct SpectralMeasure {
  std::vector<double> values, weights;  ///< values from the smallest up
};

/// Bounds of a share.
struct ShareBounds {
  double low = 0, high = 0;
};

/// Returns bounds of the mass below x of the measure that a quadrature is of. By the inequalities of
/// Chebyshev, Markov and Stieltjes it lies between the weights of the nodes below x without the
/// last of them, and the weights of these and of one node more; which side of x a node is on that
/// is nearer than 1e-6 of the largest |value| is taken for unknown.
ShareBounds mass_below(const SpectralMeasure& measure, double x);

/// Returns Gauss' quadrature of the spectral measure of a start vector, of `steps` nodes (G. Golub,
/// G. Meurant, "Matrices, Moments and Quadrature", 1993): the eigenvalues of Lanczos' tridiagonal
/// matrix, weighted by the squares of their eigenvectors' first components. There are fewer nodes
/// where the start vector spans an invariant subspace.
SpectralMeasure spectral_measure(const LinearOperator& A, const Tensor& start, int steps,
                                 Context& context);

}  // namespace topograd
