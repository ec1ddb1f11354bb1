// Resizing of images: each pixel of the output is the nearest pixel of the input, or a mean of the
// four around its position.
#pragma once

#include "kernels/core/op.h"

namespace topograd {

enum class ResizeKind { nearest, bilinear };
std::string_view name_of(ResizeKind kind);

/// Positions of an output's pixels in the input, by the rules of PyTorch's interpolate for images
/// that are contiguous. With s input pixels per output pixel along an axis, 1 / scale or, where no
/// scale is given, the ratio of the extents:
///   nearest   pixel o is the input's floor(o s), the product in float, or the last
///   bilinear  position max(0, s (o + 1/2) - 1/2): the axes' corners coincide, not the centres of
///             the pixels in them; an axis that keeps its extent stays as it is
///   align_corners  bilinear, position o (H - 1) / (OH - 1): the centres of the corners' pixels
///             coincide
struct ResizeGeometry {
  ResizeKind kind = ResizeKind::nearest;
  bool align_corners = false;
  double scale_h = 0, scale_w = 0;  ///< output's extent over the input's, as it was asked for; or 0
};

/// y[n, oh, ow, c] = sum over the pixels (h, w) around the position of weight x[n, h, w, c].
struct ResizeForwardArgs {
  static constexpr std::string_view kOp = "resize_forward";
  Tensor y;  ///< [N, OH, OW, C]
  Tensor x;  ///< [N, H, W, C]
  ResizeGeometry geometry{};
  void check() const;
};
inline void resize_forward(const ResizeForwardArgs& args, Context& context) {
  run_op(args, context);
}

/// dx = dL/dx, given dy = dL/dy: each pixel gathers from the outputs that read it.
struct ResizeBackwardArgs {
  static constexpr std::string_view kOp = "resize_backward";
  Tensor dx;  ///< [N, H, W, C]
  Tensor dy;  ///< [N, OH, OW, C]
  ResizeGeometry geometry{};
  Write write = Write::overwrite;
  void check() const;
};
inline void resize_backward(const ResizeBackwardArgs& args, Context& context) {
  run_op(args, context);
}

}  // namespace topograd
