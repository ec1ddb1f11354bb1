// The loss barrier between two networks on the line that joins them.
#pragma once

#include <optional>
#include <vector>

namespace topograd {

struct Barrier {
  double height;    ///< never negative: at the ends it is 0
  double at;        ///< where on the line
  double from, to;  ///< the losses at the two ends
};

/// The largest rise of the losses above the straight line between those at `begin` and `end`, over
/// all points in between (J. Frankle, G. Dziugaite, D. Roy, M. Carbin, "Linear Mode Connectivity
/// and the Lottery Ticket Hypothesis", ICML 2020). `x` increases. A loss that is not finite is an
/// infinite barrier; none where an end is no point of x, or its loss not finite.
std::optional<Barrier> barrier_between(const std::vector<double>& x,
                                       const std::vector<double>& losses, double begin, double end);

}  // namespace topograd
