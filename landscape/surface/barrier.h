// The barrier on a path between two networks.
#pragma once

#include <optional>
#include <vector>

namespace topograd {

/// How far the values on a path rise above the straight line between those at its ends.
struct Barrier {
  double height = 0;  ///< never below 0: the ends are on the path; infinity or NaN: see below
  double at = 0;      ///< where on the path
  double from = 0;    ///< the value at its beginning ...
  double to = 0;      ///< ... and at its end
};

/// Returns the largest rise of `values` at the points `x`, which increase, above the straight line
/// from the value at `begin` to the value at `end`, over all points from the one to the other
/// (J. Frankle, G. Dziugaite, D. Roy, M. Carbin, "Linear Mode Connectivity and the Lottery Ticket
/// Hypothesis", ICML 2020; R. Entezari, H. Sedghi, O. Saukh, B. Neyshabur, "The Role of Permutation
/// Invariance in Linear Mode Connectivity of Neural Networks", ICLR 2022). Nothing where an end is
/// no point of x, or there are not as many values as points.
///
/// The height is infinity where a value on the path is, whatever the others are; else NaN where one
/// is NaN: a maximum over what is no number is no number. It is NaN, too, where the value at an end
/// is not finite, for then there is no straight line. `at` is the first such point.
std::optional<Barrier> barrier_between(const std::vector<double>& x,
                                       const std::vector<double>& values, double begin, double end);

}  // namespace topograd
