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
  const Shape of_one = w.shape().with_first(filters());
  geometry.check(kOp, x.shape(), of_one);
  const Shape expected = geometry.output(x.shape(), of_one).with_first(y.dim(0));
  require(y.shape() == expected, kOp, ": y is ", y.shape(), ", expected ", expected);
  require(!bias.defined() || bias.shape() == Shape{w.dim(0)}, kOp, ": bias ", bias.shape(),
          " must be one per filter of w ", w.shape());
  require(!residual.defined() || residual.shape() == y.shape(), kOp, ": the residual ",
          residual.shape(), " must be like y ", y.shape());
}

bool convolves_point_by_point(Precision precision, const Context& context) {
  if (context.device() != Device::cuda) return false;
  // A layer of a usual network; whether a row supports it shows from shapes and addresses alone.
  void* somewhere = reinterpret_cast<void*>(uintptr_t{4096});
  const auto tensor = [&](const Shape& shape) {
    return Tensor::wrap(somewhere, shape, DType::f32, Device::cuda);
  };
  constexpr int64_t kPoints = 2, kImages = 8, kChannels = 16;
  const FusedConvArgs args{.y = tensor({kPoints * kImages, 8, 8, kChannels}),
                           .x = tensor({kPoints * kImages, 8, 8, kChannels}),
                           .w = tensor({kPoints * kChannels, 3, 3, kChannels}),
                           .points = kPoints,
                           .geometry = {.padding = {1, 1}},
                           .precision = precision};
  return choose_implementation(args, context).name == "cudnn";
}

}  // namespace topograd
