// 2D convolution (cross-correlation, as every deep-learning library defines it).
//   y[n,oh,ow,o] = bias[o] + sum over kh,kw,i of
//       x[n, oh*stride+kh-padding, ow*stride+kw-padding, i] * w[o,kh,kw,i],  zero outside x.
// Letters: N images, H x W input, OH x OW output, I input channels, O filters, KH x KW kernel.
// Work: 2*N*OH*OW*O*KH*KW*I FLOP in each of the three directions.
#pragma once

#include "kernels/core/op.h"

namespace topograd {

struct ConvGeometry {
  int stride = 1;
  int padding = 0;
  /// Returns the output extent for an input extent and a kernel extent.
  int64_t output_extent(int64_t input, int64_t kernel) const {
    return (input + 2 * padding - kernel) / stride + 1;
  }
};

struct Conv2dForwardArgs {
  static constexpr std::string_view kOp = "conv2d_forward";
  Tensor y;     ///< [N, OH, OW, O]
  Tensor x;     ///< [N, H, W, I]
  Tensor w;     ///< [O, KH, KW, I]
  Tensor bias;  ///< [O], or undefined for none
  ConvGeometry geometry;
  /// Name of w's values, from new_weights_version(): calls with the same w and the same version
  /// promise the same numbers, so that an implementation may keep them packed. 0 promises nothing.
  uint64_t weights_version = 0;
  ErrorBudget error_budget = ErrorBudget::tight;
  Precision precision = Precision::f32;  ///< products' operands; sums and results are f32
  void check() const;
};
inline void conv2d_forward(const Conv2dForwardArgs& args, Context& context) {
  run_op(args, context);
}

/// dx = dL/dx, given dy = dL/dy.
struct Conv2dBackwardDataArgs {
  static constexpr std::string_view kOp = "conv2d_backward_data";
  Tensor dx;  ///< [N, H, W, I]
  Tensor dy;  ///< [N, OH, OW, O]
  Tensor w;   ///< [O, KH, KW, I]
  ConvGeometry geometry;
  Write write = Write::overwrite;
  uint64_t weights_version = 0;  ///< as in Conv2dForwardArgs
  ErrorBudget error_budget = ErrorBudget::tight;
  Precision precision = Precision::f32;  ///< products' operands; sums and results are f32
  void check() const;
};
inline void conv2d_backward_data(const Conv2dBackwardDataArgs& args, Context& context) {
  run_op(args, context);
}

/// dw = dL/dw, summed over the images. (The bias's gradient is bias_gradient's business.)
struct Conv2dBackwardFilterArgs {
  static constexpr std::string_view kOp = "conv2d_backward_filter";
  Tensor dw;  ///< [O, KH, KW, I]
  Tensor dy;  ///< [N, OH, OW, O]
  Tensor x;   ///< [N, H, W, I]
  ConvGeometry geometry;
  Write write = Write::overwrite;
  Precision precision = Precision::f32;
  void check() const;
};
inline void conv2d_backward_filter(const Conv2dBackwardFilterArgs& args, Context& context) {
  run_op(args, context);
}

}  // namespace topograd
