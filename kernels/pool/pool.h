// Pooling: maximum or average over windows, and the global average.
#pragma once

#include "kernels/core/op.h"
#include "kernels/core/per_axis.h"

namespace topograd {

/// Reduction of a window to one number. max: the largest of its pixels; NaN is larger than
/// everything. average: their sum, divided by what the geometry says.
enum class PoolKind { max, average };
std::string_view name_of(PoolKind kind);

/// Windows, by the rules of PyTorch's MaxPool2d and AvgPool2d. Window o of an axis holds the pixels
/// o * stride - padding + i * dilation, i = 0 .. kernel - 1, that exist.
struct PoolGeometry {
  PerAxis kernel = 1;
  PerAxis stride = 1;
  PerAxis padding = 0;   ///< at most half the kernel
  PerAxis dilation = 1;  ///< of a maximum alone
  /// Whether a last window may begin in the image and end behind its padding.
  bool ceil_mode = false;
  /// Whether an average divides by the window as it lies in the padded image; else by its pixels.
  bool count_include_pad = true;
  int divisor = 0;  ///< what an average divides by; 0: what count_include_pad says
  /// PyTorch's AdaptiveMaxPool2d and AdaptiveAvgPool2d: window o of O, over an axis of H pixels,
  /// holds the pixels from floor(o H / O) up to, but without, ceil((o + 1) H / O). O is the
  /// output's extent, and nothing above is looked at.
  bool adaptive = false;

  /// Extents of the output of an image, of windows that are not adaptive.
  int64_t output_height(int64_t H) const {
    return extent(H, kernel.h, stride.h, padding.h, dilation.h);
  }
  int64_t output_width(int64_t W) const {
    return extent(W, kernel.w, stride.w, padding.w, dilation.w);
  }
  /// Throws Error, which begins with `what`, unless there are such windows over an image H x W and
  /// each of them holds a pixel. Adaptive ones always do.
  void check(std::string_view what, PoolKind kind, int64_t H, int64_t W) const;

 private:
  int64_t extent(int64_t input, int64_t k, int64_t s, int64_t p, int64_t d) const {
    const int64_t room = input + 2 * p - d * (k - 1) - 1;
    if (room < 0 && !(ceil_mode && room > -s)) return 0;
    const int64_t windows = (room + (ceil_mode ? s - 1 : 0)) / s + 1;
    // A last window that would begin behind the image is none.
    return ceil_mode && (windows - 1) * s >= input + p ? windows - 1 : windows;
  }
};

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
/// of the window, that holds the maximum. average: each pixel gets dy over the window's divisor.
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
