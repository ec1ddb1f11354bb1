// 2D convolution (cross-correlation, as every deep-learning library defines it).
//   y[n,oh,ow,o] = bias[o] + sum over kh,kw,i of
//       x[n, oh*s+kh*d-p, ow*s+kw*d-p, g*I/G+i] * w[o,kh,kw,i],  zero outside x,
// with stride s, padding p and dilation d, which may differ between the axes.
// Letters: N images, H x W input, OH x OW output, I input channels, O filters, KH x KW kernel, G
// groups, g = o / (O/G) a filter's group.
// Work: 2*N*OH*OW*O*KH*KW*I/G FLOP in each of the three directions.
#pragma once

#include "kernels/core/op.h"
#include "kernels/core/per_axis.h"

namespace topograd {

/// Where the windows of a convolution lie, and which channels they see.
struct ConvGeometry {
  PerAxis stride = 1;
  PerAxis padding = 0;   ///< zeros on either side
  PerAxis dilation = 1;  ///< distance between neighbouring taps
  int groups = 1;        ///< G: filters see the channels of their own group alone

  /// Returns the shape of y for x [N, H, W, I] and w [O, KH, KW, I/G].
  Shape output(const Shape& x, const Shape& w) const;
  /// Throws Error that begins with `what` where such x and w do not fit together.
  void check(std::string_view what, const Shape& x, const Shape& w) const;
  /// Whether every filter sees all channels, by taps that are neighbours.
  bool is_dense() const { return groups == 1 && dilation == 1; }
  /// Whether each of several channels has one filter of its own, for such x and w.
  bool is_depthwise(const Shape& x, const Shape& w) const {
    return groups > 1 && groups == x[3] && groups == w[0];
  }
};
/// Prints "stride 1, padding 2", and dilation and groups where there are any.
std::ostream& operator<<(std::ostream& out, const ConvGeometry& geometry);

struct Conv2dForwardArgs {
  static constexpr std::string_view kOp = "conv2d_forward";
  Tensor y;     ///< [N, OH, OW, O]
  Tensor x;     ///< [N, H, W, I]
  Tensor w;     ///< [O, KH, KW, I/G]
  Tensor bias;  ///< [O], or undefined for none
  ConvGeometry geometry;
  Write write = Write::overwrite;
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
  Tensor w;   ///< [O, KH, KW, I/G]
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
  Tensor dw;  ///< [O, KH, KW, I/G]
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
