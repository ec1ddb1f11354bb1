// A copy between two strided arrays: what vector code makes of a map.
#pragma once

#include <array>
#include <cstdint>

#include "kernels/rearrange/rearrange.h"

namespace topograd {

/// `extent` elements along each of `count` axes, innermost last.
struct StridedCopy {
  struct Axis {
    int64_t extent = 1, to = 0, from = 0;  ///< strides of both sides
  };
  std::array<Axis, StridedMap::kAxes> axes;
  int count = 0;
  bool accumulate = false;
};

}  // namespace topograd
