// The loss barrier on a path between two networks.
#pragma once

#include <optional>
#include <vector>

namespace topograd {

/// The largest rise of a path's values above the straight line between those at its ends.
struct Barrier {
  double height = 0;  ///< at least 0; or infinity or NaN, see barrier_between()
  double at = 0;      ///< coordinate of the largest rise
  double from = 0;    ///< value at the beginning
  double to = 0;      ///< value at the end
};

/// Returns the largest rise of `values` at the points `x`, which increase, above the straight line
/// from the value at `begin` to the value at `end`, over all points between them
/// (J. Frankle, G. Dziugaite, D. Roy, M. Carbin, "Linear Mode Connectivity and the Lottery Ticket
/// Hypothesis", ICML 2020; R. Entezari, H. Sedghi, O. Saukh, B. Neyshabur, "The Role of Permutation
/// Invariance in Linear Mode Connectivity of Neural Networks", ICLR 2022). Returns nullopt if an
/// end is not a point of x, or values and x differ in size.
///
/// The height is infinity if a value on the path is; else NaN if one is NaN. It is also NaN if the
/// value at an end is not finite: then there is no straight line. `at` is the first such point.
std::optional<Barrier> barrier_between(const std::vector<double>& x,
                                       const std::vector<double>& values, double begin, double end);

}  // namespace topograd
