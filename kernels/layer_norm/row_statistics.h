// Statistics of one row on one warp, shared by the kernels of layer_norm and of group_norm. A row
// is whatever has an operator[](i): a pointer to its elements, or a group's elements one by one.
#pragma once

#include "kernels/core/optional_vector.h"
#include "kernels/core/warp_sum.h"

namespace topograd::TOPOGRAD_BACKEND {

/// xhat(c) = (x[c] - mean) inverse; the same in every lane.
struct RowStatistics {
  double mean, inverse;
  __device__ double xhat(float x) const { return (x - mean) * inverse; }
};

/// xhat'(c) = inverse (x'[c] - a - xhat b); the same in every lane.
struct RowTangent {
  double a, b;
  __device__ double xhat_tangent(const RowStatistics& row, float x_tangent, double xhat) const {
    return row.inverse * (x_tangent - a - xhat * b);
  }
};

/// Returns the statistics of a row of C elements. Lane l owns elements l, l + 32, ...: neighbouring
/// lanes read neighbouring floats. All lanes of a warp call it together. Two passes: the second
/// finds the row in a cache.
template <class Row>
__device__ inline RowStatistics row_statistics(const Row& x, int64_t C, double epsilon, int lane) {
  const double per_channel = 1 / static_cast<double>(C);
  double sum = 0, squares = 0;
  for (int64_t c = lane; c < C; c += kWarp) sum += x[c];
  const double mean = sum_over_warp(sum) * per_channel;
  for (int64_t c = lane; c < C; c += kWarp) squares += (x[c] - mean) * (x[c] - mean);
  return {mean, rsqrt(sum_over_warp(squares) * per_channel + epsilon)};
}

/// Returns the means of x' and of x' xhat, computed in the same way.
template <class Moving, class Row>
__device__ inline RowTangent row_tangent(const RowStatistics& row, const Moving& x_tangent,
                                         const Row& x, int64_t C, int lane) {
  const double per_channel = 1 / static_cast<double>(C);
  double sum = 0, products = 0;
  for (int64_t c = lane; c < C; c += kWarp) {
    sum += x_tangent[c];
    products += x_tangent[c] * row.xhat(x[c]);
  }
  return {sum_over_warp(sum) * per_channel, sum_over_warp(products) * per_channel};
}

}  // namespace topograd::TOPOGRAD_BACKEND
