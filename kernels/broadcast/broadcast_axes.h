// Two shapes, one broadcast against the other, as alternating runs of axes: what implementations
// loop over.
#pragma once

#include <array>
#include <utility>

#include "kernels/core/tensor.h"

namespace topograd {

/// The larger tensor seen as [kept0, repeated0, kept1, repeated1, kept2], the smaller one as [kept0,
/// kept1, kept2]: neighbouring axes of one sort are one axis. Four axes make no more runs, since the
/// innermost run is counted as kept even where it has one element.
struct BroadcastAxes {
  int64_t kept0 = 1, repeated0 = 1, kept1 = 1, repeated1 = 1, kept2 = 1;

  /// Takes shapes of as many axes, the smaller one's extents being the larger one's, or 1.
  BroadcastAxes(const Shape& whole, const Shape& small) {
    const std::array<int64_t*, 5> runs = {&kept2, &repeated1, &kept1, &repeated0, &kept0};
    size_t run = 0;
    for (int axis = whole.rank() - 1; axis >= 0; --axis) {
      if (whole[axis] == 1) continue;
      const bool kept = small[axis] == whole[axis];
      if ((run % 2 == 0) != kept) ++run;
      *runs[run] *= whole[axis];
    }
  }

  int64_t outputs() const { return kept0 * kept1 * kept2; }
  int64_t terms() const { return repeated0 * repeated1; }
};

}  // namespace topograd
