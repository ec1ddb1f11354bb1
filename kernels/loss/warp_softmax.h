// The softmax of one image's logits on one warp, shared by loss_forward and loss_backward.
#pragma once

#include "kernels/core/warp_sum.h"

namespace topograd::TOPOGRAD_BACKEND {

/// Terms of p = exp(z - maximum) / sum; the same in every lane.
struct Softmax {
  double maximum, sum;
};

/// Returns the softmax of one image. Lane l owns classes l, l + 32, ...: neighbouring lanes read
/// neighbouring logits. All lanes of a warp call it together. NaN among the logits, or +inf, or
/// nothing but -inf, makes the sum NaN.
__device__ inline Softmax softmax_of(const float* z, int64_t C, int lane) {
  float largest = -INFINITY;
  for (int64_t c = lane; c < C; c += kWarp) largest = max(largest, z[c]);
  Softmax softmax{max_over_warp(largest), 0};
  for (int64_t c = lane; c < C; c += kWarp) softmax.sum += exp(z[c] - softmax.maximum);
  softmax.sum = sum_over_warp(softmax.sum);
  return softmax;
}

}  // namespace topograd::TOPOGRAD_BACKEND
