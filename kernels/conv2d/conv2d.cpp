#include "kernels/conv2d/conv2d.h"

namespace topograd {

namespace {

void check_shapes(std::string_view op, const Tensor& y, const Tensor& x, const Tensor& w,
                  const ConvGeometry& geometry) {
  require(x.shape().rank() == 4 && w.shape().rank() == 4 && y.shape().rank() == 4, op,
          ": expected four-dimensional tensors, got x ", x.shape(), ", w ", w.shape(), ", y ",
          y.shape());
  require(geometry.stride >= 1 && geometry.padding >= 0, op, ": stride ", geometry.stride,
          " or padding ", geometry.padding, " out of range");
  require(x.dim(3) == w.dim(3), op, ": x ", x.shape(), " has ", x.dim(3), " channels, w ",
          w.shape(), " expects ", w.dim(3));
  require(
      x.dim(1) + 2 * geometry.padding >= w.dim(1) && x.dim(2) + 2 * geometry.padding >= w.dim(2),
      op, ": the kernel ", w.shape(), " is larger than the padded input ", x.shape());
  const Shape expected{x.dim(0), geometry.output_extent(x.dim(1), w.dim(1)),
                       geometry.output_extent(x.dim(2), w.dim(2)), w.dim(0)};
  require(y.shape() == expected, op, ": y is ", y.shape(), ", expected ", expected);
  require(x.dtype() == w.dtype() && x.dtype() == y.dtype(), op, ": x, w and y differ in type");
}

}  // namespace

void Conv2dForwardArgs::check() const {
  check_shapes(kOp, y, x, w, geometry);
  require(!bias.defined() || bias.shape() == Shape{w.dim(0)}, kOp, ": bias is ", bias.shape(),
          ", expected ", Shape{w.dim(0)});
}

void Conv2dBackwardDataArgs::check() const {
  check_shapes(kOp, dy, dx, w, geometry);
}

void Conv2dBackwardFilterArgs::check() const {
  check_shapes(kOp, dy, x, dw, geometry);
}

}  // namespace topograd
