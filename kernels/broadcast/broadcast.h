// Arithmetic of two tensors, the smaller of which is repeated along some axes: a vector against an
// image's channels, a map [H, W, 1] against all of them, a parameter against every image.
//
// The two have as many axes; along each the smaller one's extent is the larger one's, or 1.
#pragma once

#include "kernels/core/op.h"

namespace topograd {

/// y = a_factor a + b_factor b + constant. y may be a.
struct BroadcastSumArgs {
  static constexpr std::string_view kOp = "broadcast_sum";
  Tensor y;  ///< any shape
  Tensor a;  ///< y's shape; undefined: there is no such term
  Tensor b;  ///< y's extents, or 1; undefined: there is no such term
  double a_factor = 1, b_factor = 1, constant = 0;
  Write write = Write::overwrite;
  void check() const;
};
inline void broadcast_sum(const BroadcastSumArgs& args, Context& context) {
  run_op(args, context);
}

/// y = a b, element by element. y may be a.
struct BroadcastProductArgs {
  static constexpr std::string_view kOp = "broadcast_product";
  Tensor y;  ///< any shape
  Tensor a;  ///< the same shape
  Tensor b;  ///< y's extents, or 1
  Write write = Write::overwrite;
  void check() const;
};
inline void broadcast_product(const BroadcastProductArgs& args, Context& context) {
  run_op(args, context);
}

/// r = factor (sum of u v), over the axes along which r's extent is 1: what a gradient of the two
/// above becomes for b. Sums are in double, in an order that depends on the shapes alone.
struct BroadcastReduceArgs {
  static constexpr std::string_view kOp = "broadcast_reduce";
  Tensor r;  ///< u's extents, or 1
  Tensor u;  ///< any shape
  Tensor v;  ///< u's shape; undefined: 1 everywhere
  double factor = 1;
  Write write = Write::overwrite;
  void check() const;
};
inline void broadcast_reduce(const BroadcastReduceArgs& args, Context& context) {
  run_op(args, context);
}

}  // namespace topograd
