// The softmax of one image's outputs on one warp.
#pragma once

#include "kernels/loss/warp_loss.h"

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

/// What losses of a softmax are made of. p is formed anew wherever it is needed: that is cheaper than
/// to keep a number of values that C decides.
struct SoftmaxOf {
  WarpImage image;
  Softmax softmax;
  double inverse;
  __device__ explicit SoftmaxOf(const WarpImage& of)
      : image(of), softmax(softmax_of(of.z, of.C, of.lane)), inverse(1 / softmax.sum) {}
  __device__ double p(int64_t c) const { return exp(image.z[c] - softmax.maximum) * inverse; }
  __device__ double minus_log_p(int64_t c) const {
    return log(softmax.sum) - (image.z[c] - softmax.maximum);
  }
  __device__ double target(int64_t c) const { return image.targets.number(image.n, c); }
  /// p . v
  __device__ double mean_of(const float* v) const {
    return sum_over_outputs(image, [&](int64_t c) { return p(c) * v[c]; });
  }
};

}  // namespace topograd::TOPOGRAD_BACKEND
