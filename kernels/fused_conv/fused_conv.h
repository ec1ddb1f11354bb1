// Convolution for inference, fused with everything that follows it in one pass.
#pragma once

#include "kernels/conv2d/conv2d.h"

namespace topograd {

/// y = max(conv2d(x, w) + bias + residual, 0) for P networks at once, the points of a landscape:
/// network p takes its own slice of every tensor. What is undefined is left out; without `relu` the
/// maximum is too. BatchNorm is not here: perturb_points puts it into w and bias, and writes both
/// in the order that is read here.
///
/// y may be the residual itself. Letters as in conv2d.h.
struct FusedConvArgs {
  static constexpr std::string_view kOp = "fused_conv";
  Tensor y;            ///< [P * N, OH, OW, O]
  Tensor x;            ///< [P * N, H, W, I], or [N, H, W, I]: the same images for every network
  Tensor w;            ///< [P * O, KH, KW, I/G]
  Tensor bias{};       ///< [P * O], or undefined
  Tensor residual{};   ///< like y, or undefined
  int64_t points = 1;  ///< P
  ConvGeometry geometry{};
  bool relu = false;
  Precision precision = Precision::f32;
  ErrorBudget error_budget = ErrorBudget::tight;
  uint64_t weights_version = 0;  ///< as in conv2d.h

  int64_t images() const { return points == 0 ? 0 : y.dim(0) / points; }   ///< N
  int64_t filters() const { return points == 0 ? 0 : w.dim(0) / points; }  ///< O
  bool shares_x() const { return x.dim(0) != y.dim(0); }
  void check() const;
};
inline void fused_conv(const FusedConvArgs& args, Context& context) {
  run_op(args, context);
}

/// Whether the implementation that would run a network's convolutions on this context calls a
/// library once for every point: several points at a time save no launches then.
bool convolves_point_by_point(Precision precision, const Context& context);

}  // namespace topograd
