// Sums and maxima over a warp, for kernels.
#pragma once

#include "kernels/core/launch.h"

namespace topograd::TOPOGRAD_BACKEND {

/// Returns the sum of all lanes' values, in every lane: lane l adds the partner l ^ 16, then l ^ 8,
/// ... Partners add the same two numbers, so that all lanes end with the same bits. All lanes call
/// it together.
__device__ inline double sum_over_warp(double value) {
  for (int half = kWarp / 2; half > 0; half /= 2) value += __shfl_xor_sync(kAllLanes, value, half);
  return value;
}

/// Returns the largest of all lanes' values, in every lane; NaN loses against a number.
__device__ inline float max_over_warp(float value) {
  for (int half = kWarp / 2; half > 0; half /= 2)
    value = max(value, __shfl_xor_sync(kAllLanes, value, half));
  return value;
}

}  // namespace topograd::TOPOGRAD_BACKEND
