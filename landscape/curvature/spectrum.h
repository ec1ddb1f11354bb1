// Random probes of a matrix that is known by its products: its trace, and the density of its
// eigenvalues.
#pragma once

#include <vector>

#include "landscape/curvature/lanczos.h"

namespace topograd {

/// Called after every product with the products so far; false: stop.
using ProductProgress = std::function<bool(int products)>;

struct TraceEstimate {
  double value = 0;
  double standard_error = 0;  ///< random part's; NaN where fewer than two probes were left
  int products = 0;
};

/// Estimates the trace of A on vectors of n elements from about so many products, by Hutch++ (R.
/// Meyer, C. Musco, C. Musco, D. Woodruff, "Hutch++: Optimal Stochastic Trace Estimation", SOSA
/// 2021): a third of them finds the range Q of the largest eigenvalues, a third is the trace on Q,
/// exactly, and the rest is Hutchinson's estimate of what is left, which alone is random. At least
/// six products. A stop by `progress` gives what was known so far (NaN, where that was nothing).
TraceEstimate estimate_trace(const LinearOperator& A, int64_t n, int products, uint64_t seed,
                             Context& context, const ProductProgress& progress = {});

/// Bounds of the share of eigenvalues below a place: a quadrature of few nodes knows no more, and a
/// share of its nodes' weights would depend on which side of the place one of them falls.
struct MassBelow {
  double low = 0, high = 0;              ///< means of the probes' bounds
  double low_error = 0, high_error = 0;  ///< their standard errors; NaN for a single probe
};

/// Density of eigenvalues, a number of them per unit of length divided by n, convolved with a
/// normal distribution.
struct SpectralDensity {
  double sigma = 0;                     ///< deviation of the normal distribution
  std::vector<double> at;               ///< eigenvalues at which the density is given
  std::vector<double> density;          ///< mean over the probes, at these eigenvalues
  std::vector<double> standard_error;   ///< standard error of that mean; NaN for a single probe
  std::vector<SpectralMeasure> probes;  ///< the single probes' measures
  int steps = 0;                        ///< steps of Lanczos' method asked for; 0: not known
  /// Returns between which shares the eigenvalues below x are.
  MassBelow mass_below(double x) const;
};

struct DensityOptions {
  int probes = 8;     ///< random vectors
  int steps = 80;     ///< steps of Lanczos' method for each: as many products
  int points = 1001;  ///< points of the curve
  double sigma = 0;   ///< deviation of the smoothing; 0: a two-hundredth of the spectrum's extent
  uint64_t seed = 1;
};

/// Estimates the density by stochastic Lanczos quadrature (L. Lin, Y. Saad, C. Yang, "Approximating
/// Spectral Densities of Large Matrices", SIAM Review 58, 2016; B. Ghorbani, S. Krishnan, Y. Xiao,
/// "An Investigation into Neural Net Optimization via Hessian Eigenvalue Density", ICML 2019). An
/// eigenvalue apart from the others shows as a peak of mass 1/n. A stop by `progress` leaves the
/// probe under way out.
SpectralDensity spectral_density(const LinearOperator& A, int64_t n, const DensityOptions& options,
                                 Context& context, const ProductProgress& progress = {});

}  // namespace topograd
