// BatchnormTangentState as kernels read it.
#pragma once

#include "kernels/batchnorm/batchnorm_tangent.h"
#include "kernels/core/launch.h"

namespace topograd::TOPOGRAD_BACKEND {

/// Vectors [C] of the forward pass; the sums are null for constant statistics.
struct TangentState {
  const float *mean, *variance, *sum_products, *sum_tangents;
  double per_element, epsilon;  ///< per_element: 1 / count

  explicit TangentState(const BatchnormTangentState& s)
      : mean(pointer<float>(s.mean)),
        variance(pointer<float>(s.variance)),
        sum_products(s.is_batch() ? pointer<float>(s.sum_products) : nullptr),
        sum_tangents(s.is_batch() ? pointer<float>(s.sum_tangents) : nullptr),
        per_element(s.is_batch() ? 1 / static_cast<double>(s.count) : 0),
        epsilon(s.epsilon) {}

  /// Returns i = 1 / sqrt(variance + epsilon) of channel c.
  __device__ double inverse(int c) const { return rsqrt(variance[c] + epsilon); }
  /// Return a = sum of x' / n and b = sum of x' xhat / n; 0 for constant statistics.
  __device__ double a(int c) const { return sum_tangents ? sum_tangents[c] * per_element : 0; }
  __device__ double b(int c) const { return sum_products ? sum_products[c] * per_element : 0; }
};

}  // namespace topograd::TOPOGRAD_BACKEND
