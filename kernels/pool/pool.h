// Pooling: maximum or average over windows, and the global average.
#pragma once

#include "kernels/core/op.h"

namespace topograd {

/// Square windows. Output extent: floor((H + 2 * padding - kernel) / stride) + 1. As in PyTorch,
/// 2 * padding <= kernel, so that every window holds at least one pixel.
struct PoolGeometry {
  int kernel = 1;
  int stride = 1;
  int padding = 0;
  int64_t output_extent(int64_t input_extent) const {
    return (input_extent + 2 * padding - kernel) / stride + 1;
  }
  /// Pixels of an uncut window, the divisor of its average.
  float area() const { return static_cast<float>(kernel) * static_cast<float>(kernel); }
};

/// Reduction of a window to one number. max: padding is -inf and NaN propagates. average: padding
/// is 0 and counts, i.e. the sum is divided by kernel * kernel (PyTorch's count_include_pad =
/// True).
enum class PoolKind { max, average };
std::string_view name_of(PoolKind kind);

struct PoolForwardArgs {
  static constexpr std::string_view kOp = "pool_forward";
  Tensor y;  ///< [N, OH, OW, C]
  Tensor x;  ///< [N, H, W, C]
  PoolKind kind = PoolKind::max;
  PoolGeometry geometry;
  void check() const;
};
inline void pool_forward(const PoolForwardArgs& args, Context& context) {
  run_op(args, context);
}

/// dx = dL/dx, given dy = dL/dy. max: the gradient goes to the first pixel, in the row-major order
/// of the window, that holds the maximum. average: it is shared equally.
struct PoolBackwardArgs {
  static constexpr std::string_view kOp = "pool_backward";
  Tensor dx;   ///< [N, H, W, C]
  Tensor dy;   ///< [N, OH, OW, C]
  Tensor x{};  ///< [N, H, W, C], the input of the forward pass; unused for average
  Tensor y{};  ///< [N, OH, OW, C], the output of the forward pass; unused for average
  PoolKind kind = PoolKind::max;
  PoolGeometry geometry{};
  Write write = Write::overwrite;
  void check() const;
};
inline void pool_backward(const PoolBackwardArgs& args, Context& context) {
  run_op(args, context);
}

/// The tangent of a maximum, for Hessian-vector products: y'[window] = x' at the first pixel, in
/// the row-major order of the window, that holds the maximum. (Averages are linear: pool_forward of
/// x'.)
struct MaxPoolTangentArgs {
  static constexpr std::string_view kOp = "max_pool_tangent";
  Tensor y_tangent;  ///< [N, OH, OW, C]
  Tensor x_tangent;  ///< [N, H, W, C]
  Tensor x;          ///< [N, H, W, C], the input of the forward pass
  Tensor y;          ///< [N, OH, OW, C], its output
  PoolGeometry geometry{};
  void check() const;
};
inline void max_pool_tangent(const MaxPoolTangentArgs& args, Context& context) {
  run_op(args, context);
}

/// y[n, c] = mean over the image of x[n, h, w, c].
struct GlobalAveragePoolForwardArgs {
  static constexpr std::string_view kOp = "global_average_pool_forward";
  Tensor y;  ///< [N, C]
  Tensor x;  ///< [N, H, W, C], H and W at least 1
  void check() const;
};
inline void global_average_pool_forward(const GlobalAveragePoolForwardArgs& args,
                                        Context& context) {
  run_op(args, context);
}

/// dx[n, h, w, c] = dy[n, c] / (H * W).
struct GlobalAveragePoolBackwardArgs {
  static constexpr std::string_view kOp = "global_average_pool_backward";
  Tensor dx;  ///< [N, H, W, C], H and W at least 1
  Tensor dy;  ///< [N, C]
  Write write = Write::overwrite;
  void check() const;
};
inline void global_average_pool_backward(const GlobalAveragePoolBackwardArgs& args,
                                         Context& context) {
  run_op(args, context);
}

}  // namespace topograd
