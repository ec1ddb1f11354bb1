// A block of dot's order (dot_order.h) on one warp, shared by dot and filter_norm.
#pragma once

#include "kernels/core/launch.h"
#include "kernels/vector/dot_order.h"

namespace topograd::TOPOGRAD_BACKEND {

static_assert(kDotPartialSums == kWarp, "each lane of a warp holds one of the partial sums");

/// Return the number of this thread's warp in the grid, and the number of warps.
__device__ inline int64_t first_warp() {
  return first_element() / kWarp;
}
__device__ inline int64_t warp_step() {
  return element_step() / kWarp;
}

/// Returns the sum of a[i] b[i] over one block of n <= kDotBlock terms, in lane 0. All lanes of a
/// warp call it together; they read 128 consecutive bytes of a and of b at a time.
__device__ inline double dot_block(const float* a, const float* b, int n) {
  // This lane owns terms lane, lane + 32, ...: the partial sum of that number.
  double sum = 0;
#pragma unroll 8  // one chain of additions, but eight pairs of loads under way at a time
  for (int i = static_cast<int>(threadIdx.x) % kWarp; i < n; i += kWarp)
    sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  // Reduction by halves: after each step the lanes below `half` hold sums of two, and the others
  // are done.
  for (int half = kWarp / 2; half > 0; half /= 2) sum += __shfl_down_sync(kAllLanes, sum, half);
  return sum;
}

}  // namespace topograd::TOPOGRAD_BACKEND
