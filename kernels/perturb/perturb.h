// Weights at a point of the landscape.
#pragma once

#include "kernels/core/op.h"

namespace topograd {

/// w = theta + a delta + b eta, elementwise, as (theta + a * delta) + b * eta in double without
/// fused multiply-adds, rounded once: every implementation gives the same bits, on every processor.
/// An undefined direction leaves its term out. w may be any of the other three.
struct PerturbArgs {
  static constexpr std::string_view kOp = "perturb";
  Tensor w;        ///< any shape
  Tensor theta;    ///< the same shape and type
  Tensor delta{};  ///< the same, or undefined
  Tensor eta{};    ///< the same, or undefined
  double a = 0.0;
  double b = 0.0;
  void check() const;
};
inline void perturb(const PerturbArgs& args, Context& context) {
  run_op(args, context);
}

}  // namespace topograd
