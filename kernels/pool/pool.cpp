#include "kernels/pool/pool.h"

namespace topograd {

namespace {

void check_windows(std::string_view op, const Tensor& image, const Tensor& pooled,
                   const PoolGeometry& g) {
  require(g.kernel >= 1 && g.stride >= 1 && g.padding >= 0 && g.padding <= g.kernel / 2, op,
          ": kernel ", g.kernel, ", stride ", g.stride, ", padding ", g.padding,
          "; kernel and stride must be at least 1, the padding at most half the kernel");
  require(image.shape().rank() == 4 && pooled.shape().rank() == 4, op,
          ": expected [N,H,W,C] tensors, got ", image.shape(), " and ", pooled.shape());
  const int64_t smallest = g.kernel - 2 * int64_t{g.padding};
  require(image.dim(1) >= 1 && image.dim(2) >= 1 && image.dim(1) >= smallest &&
              image.dim(2) >= smallest,
          op, ": an image of ", image.shape(), " is smaller than a window of ", g.kernel,
          " with padding ", g.padding);
  const Shape expected{image.dim(0), g.output_extent(image.dim(1)), g.output_extent(image.dim(2)),
                       image.dim(3)};
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

std::string_view name_of(PoolKind kind) {
  return kind == PoolKind::max ? "max" : "average";
}

void PoolForwardArgs::check() const {
  check_windows(kOp, x, y, geometry);
}

void PoolBackwardArgs::check() const {
  check_windows(kOp, dx, dy, geometry);
  if (kind == PoolKind::average) return;
  require(x.defined() && y.defined(), kOp, ": max needs the forward pass's input and output");
  require(x.shape() == dx.shape() && y.shape() == dy.shape() && x.dtype() == dx.dtype() &&
              y.dtype() == dx.dtype(),
          kOp, ": x ", x.shape(), " and y ", y.shape(), " must be like dx ", dx.shape(), " and dy ",
          dy.shape());
}

void MaxPoolTangentArgs::check() const {
  check_windows(kOp, x, y, geometry);
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
