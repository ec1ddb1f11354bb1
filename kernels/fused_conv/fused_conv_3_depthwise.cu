// y = max(conv2d(x, w) + bias + residual, 0) for P networks, where each channel has one filter of
// its own: conv2d's fifth rung, with all that follows done while a strip's sums are in registers.
//
// Block (b, j, p) owns 32 channels of network p's y; thread (c, r) channel c of some strips of four
// neighbours in a row (kernels/conv2d/depthwise_strips.cuh, whose map conv2d_5_depthwise.cu has).
// It reads an element of the residual and then writes that element of y, so that the two may be one
// tensor. The taps of the block's channels lie in shared memory, 128 KH KW bytes.
//
// Work: 2 P N OH OW C KH KW FLOP. Bytes: x once, the residual once, y once, 12 for the 18 FLOP of a
// 3x3 number: memory bounds it, by prediction. That is what makes the epilogue worth its place
// here: BatchNorm and ReLU as passes of their own would move 16 bytes more, twice what the
// convolution itself does. What is left is the 1x1 convolution behind it, whose input could stay in
// a block's shared memory; then y would not move at all.
#include "kernels/conv2d/depthwise_strips.cuh"
#include "kernels/fused_conv/fused_conv.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

ConvExtents extents_of_one(const FusedConvArgs& args) {
  return {args.y.shape().with_first(args.images()), args.x.shape().with_first(args.images()),
          args.w.shape().with_first(args.filters()), args.geometry};
}

void run(const FusedConvArgs& args, Context& context) {
  const ConvExtents e = extents_of_one(args);
  launch_gathered({.y = pointer<float>(args.y),
                   .bias = pointer<float>(args.bias),
                   .residual = pointer<float>(args.residual),
                   .relu = args.relu},
                  pointer<float>(args.x), pointer<float>(args.w),
                  DepthwiseStrips(e.N, e.H, e.W, e.OH, e.OW, e, e.stride, e.padding, false),
                  DepthwiseSteps{.x = args.shares_x() ? 0 : e.N * e.H * e.W * e.I,
                                 .w = e.O * e.KH * e.KW,
                                 .y = e.N * e.OH * e.OW * e.O},
                  args.points, context);
}

bool supports(const FusedConvArgs& args) {
  constexpr int64_t kMaxPoints = 65535;  // along a grid's z
  return all_f32(args.y) && args.points <= kMaxPoints &&
         strips_support(extents_of_one(args), args.geometry);
}

}  // namespace

void register_fused_conv_3_depthwise(OpRegistry& registry) {
  registry.add<FusedConvArgs>({"depthwise", kDevice, supports, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
