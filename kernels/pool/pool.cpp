#include "kernels/pool/pool.h"

#include <algorithm>

#include "kernels/pool/pool_windows.h"

namespace topograd {

namespace {

void check_windows(std::string_view op, PoolKind kind, const Tensor& image, const Tensor& pooled,
                   const PoolGeometry& g) {
  require(image.shape().rank() == 4 && pooled.shape().rank() == 4, op,
          ": expected [N,H,W,C] tensors, got ", image.shape(), " and ", pooled.shape());
  const int64_t H = image.dim(1), W = image.dim(2);
  g.check(op, kind, H, W);
  const Shape expected{image.dim(0), g.adaptive ? pooled.dim(1) : g.output_height(H),
                       g.adaptive ? pooled.dim(2) : g.output_width(W), image.dim(3)};
  require(expected[1] >= 1 && expected[2] >= 1, op, ": ", pooled.shape(), " has no windows");
  require(pooled.shape() == expected && pooled.dtype() == image.dtype(), op, ": ", image.shape(),
          " pools to ", expected, " of the same type, not to ", pooled.shape());
}

void check_global(std::string_view op, const Tensor& image, const Tensor& mean) {
  require(image.shape().rank() == 4 && image.dim(1) >= 1 && image.dim(2) >= 1, op,
          ": expected [N,H,W,C] with at least one pixel, got ", image.shape());
  require(mean.shape() == (Shape{image.dim(0), image.dim(3)}) && mean.dtype() == image.dtype(), op,
          ": ", image.shape(), " averages to [N,C] of the same type, not to ", mean.shape());
}

}  // namespace

void PoolGeometry::check(std::string_view what, PoolKind kind, int64_t H, int64_t W) const {
  require(H >= 1 && W >= 1, what, ": an image of ", H, "x", W, " has no pixel");
  if (adaptive) return;
  require(kernel.h >= 1 && kernel.w >= 1 && stride.h >= 1 && stride.w >= 1 && dilation.h >= 1 &&
              dilation.w >= 1 && divisor >= 0,
          what, ": kernel ", kernel, ", stride ", stride, ", dilation ", dilation, ", divisor ",
          divisor, "; kernel, stride and dilation must be at least 1, the divisor at least 0");
  require(kind == PoolKind::max || dilation == PerAxis(1), what,
          ": the windows of an average have no dilation, got ", dilation);
  require(
      padding.h >= 0 && padding.w >= 0 && padding.h <= kernel.h / 2 && padding.w <= kernel.w / 2,
      what, ": padding ", padding, " of kernel ", kernel,
      "; the padding must be at most half the kernel");
  const Shape image{1, H, W, 1}, pooled{1, output_height(H), output_width(W), 1};
  require(pooled[1] >= 1 && pooled[2] >= 1, what, ": an image of ", H, "x", W,
          " is smaller than a window, kernel ", kernel, " with padding ", padding, " and dilation ",
          dilation);
  const WindowAxes axes(image, pooled, *this);
  for (const WindowAxis& axis : {axes.h, axes.w}) {
    const auto require_pixels = [&](int64_t from, int64_t to) {
      for (int64_t o = from; o < to; ++o)
        require(axis.count(o) > 0, what, ": window ", o, " over ", axis.pixels,
                " pixels holds none of them, kernel ", kernel, " with padding ", padding,
                " and dilation ", dilation);
    };
    // Windows that reach beyond the image: as many as all others may be, these hold pixels.
    const int64_t inside = (axis.padding + axis.stride - 1) / axis.stride;
    const int64_t last = axis.pixels + axis.padding - (axis.kernel - 1) * axis.dilation - 1;
    require_pixels(0, std::min(inside, axis.windows));
    require_pixels(std::max(inside, last < 0 ? 0 : last / axis.stride + 1), axis.windows);
  }
}

std::string_view name_of(PoolKind kind) {
  return kind == PoolKind::max ? "max" : "average";
}

void PoolForwardArgs::check() const {
  check_windows(kOp, kind, x, y, geometry);
}

void PoolBackwardArgs::check() const {
  check_windows(kOp, kind, dx, dy, geometry);
  if (kind == PoolKind::average) return;
  require(x.defined() && y.defined(), kOp, ": max needs the forward pass's input and output");
  require(x.shape() == dx.shape() && y.shape() == dy.shape() && x.dtype() == dx.dtype() &&
              y.dtype() == dx.dtype(),
          kOp, ": x ", x.shape(), " and y ", y.shape(), " must be like dx ", dx.shape(), " and dy ",
          dy.shape());
}

void MaxPoolTangentArgs::check() const {
  check_windows(kOp, PoolKind::max, x, y, geometry);
  require(x_tangent.shape() == x.shape() && y_tangent.shape() == y.shape() &&
              x_tangent.dtype() == x.dtype() && y_tangent.dtype() == x.dtype(),
          kOp, ": x' ", x_tangent.shape(), " and y' ", y_tangent.shape(), " must be like x ",
          x.shape(), " and y ", y.shape());
}

void GlobalAveragePoolForwardArgs::check() const {
  check_global(kOp, x, y);
}

void GlobalAveragePoolBackwardArgs::check() const {
  check_global(kOp, dx, dy);
}

}  // namespace topograd
