#include "kernels/conv2d/conv2d.h"

#include <ostream>

namespace topograd {

namespace {

int64_t windows(int64_t input, int64_t kernel, int stride, int padding, int dilation) {
  return (input + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
}

void check_shapes(std::string_view op, const Tensor& y, const Tensor& x, const Tensor& w,
                  const ConvGeometry& geometry) {
  require(x.shape().rank() == 4 && w.shape().rank() == 4 && y.shape().rank() == 4, op,
          ": expected four-dimensional tensors, got x ", x.shape(), ", w ", w.shape(), ", y ",
          y.shape());
  geometry.check(op, x.shape(), w.shape());
  const Shape expected = geometry.output(x.shape(), w.shape());
  require(y.shape() == expected, op, ": y is ", y.shape(), ", expected ", expected);
  require(x.dtype() == w.dtype() && x.dtype() == y.dtype(), op, ": x, w and y differ in type");
}

}  // namespace

Shape ConvGeometry::output(const Shape& x, const Shape& w) const {
  return {x[0], windows(x[1], w[1], stride.h, padding.h, dilation.h),
          windows(x[2], w[2], stride.w, padding.w, dilation.w), w[0]};
}

void ConvGeometry::check(std::string_view what, const Shape& x, const Shape& w) const {
  require(stride.h >= 1 && stride.w >= 1 && padding.h >= 0 && padding.w >= 0 && dilation.h >= 1 &&
              dilation.w >= 1 && groups >= 1,
          what, ": ", *this, " out of range");
  require(x[3] == w[3] * groups, what, ": x ", x, " has ", x[3], " channels, w ", w, " expects ",
          w[3] * groups);
  require(w[0] % groups == 0, what, ": ", w[0], " filters do not divide among ", groups, " groups");
  require(x[1] + 2 * padding.h >= dilation.h * (w[1] - 1) + 1 &&
              x[2] + 2 * padding.w >= dilation.w * (w[2] - 1) + 1,
          what, ": the kernel ", w, " with ", *this, " is larger than the padded input ", x);
}

std::ostream& operator<<(std::ostream& out, const ConvGeometry& geometry) {
  out << "stride " << geometry.stride << ", padding " << geometry.padding;
  if (geometry.dilation != 1) out << ", dilation " << geometry.dilation;
  if (geometry.groups != 1) out << ", groups " << geometry.groups;
  return out;
}

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
