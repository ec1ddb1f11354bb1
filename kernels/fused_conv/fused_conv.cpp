#include "kernels/fused_conv/fused_conv.h"

namespace topograd {

void FusedConvArgs::check() const {
  require(points > 0 && x.shape().rank() == 4 && w.shape().rank() == 4 && y.shape().rank() == 4,
          kOp, ": x ", x.shape(), ", w ", w.shape(), " and y ", y.shape(),
          " must have rank 4, for at least one point, got ", points);
  require(y.dim(0) % points == 0 && w.dim(0) % points == 0, kOp, ": y ", y.shape(), " and w ",
          w.shape(), " do not divide among ", points, " points");
  require(x.dim(0) == y.dim(0) || x.dim(0) == images(), kOp, ": x ", x.shape(),
          " must hold the images of every point, or those of one, of y ", y.shape());
  require(x.dim(3) == w.dim(3), kOp, ": x ", x.shape(), " has other channels than w ", w.shape());
  require(geometry.stride > 0 && geometry.padding >= 0 &&
              w.dim(1) <= x.dim(1) + 2 * geometry.padding &&
              w.dim(2) <= x.dim(2) + 2 * geometry.padding,
          kOp, ": stride ", geometry.stride, ", padding ", geometry.padding, ", w ", w.shape(),
          " do not fit x ", x.shape());
  const Shape expected{y.dim(0), geometry.output_extent(x.dim(1), w.dim(1)),
                       geometry.output_extent(x.dim(2), w.dim(2)), filters()};
  require(y.shape() == expected, kOp, ": y is ", y.shape(), ", expected ", expected);
  require(!bias.defined() || bias.shape() == Shape{w.dim(0)}, kOp, ": bias ", bias.shape(),
          " must be one per filter of w ", w.shape());
  require(!residual.defined() || residual.shape() == y.shape(), kOp, ": the residual ",
          residual.shape(), " must be like y ", y.shape());
}

}  // namespace topograd
