// y = max(conv2d(x, w) + bias + residual, 0) for P networks: conv2d's third rung, with all that
// follows done while the sums are in registers.
//
// Block (b, 0, p) owns a tile of 128 x 64 (128 x 32, 256 x 16) numbers of network p's y: output
// pixels down, filters across. It multiplies windows of x with filters (kernels/conv2d/windows.cuh,
// kernels/gemm/tile.cuh), thread t 8 x 8 (8 x 4) of them in registers, and adds bias and residual
// where it stores them. The same thread reads an element of the residual and then writes that
// element of y, so that the two may be one tensor. Networks that share x run one after the other,
// and find it in the second-level cache if it fits there.
//
// Filters lie as perturb_points writes them: [P, O, KH, KW, I], so that network p's are O lines of
// KH KW I floats, K of the product.
//
// Work: 2 P N OH OW O KH KW I FLOP. Traffic: y is written once and the residual read once; an
// addition and a maximum of their own would each read and write y once more, 16 bytes per output.
// Shared memory: two tiles, 25,600 bytes (21,504; 35,840). A 3x3 convolution of 16 channels does
// 288 FLOP for each number of y and moves 12 bytes (x, residual, y), one of 32 twice as many FLOP:
// by prediction, fused multiply-adds and the reading of shared memory bound it.
#include "kernels/fused_conv/fused_conv_tiles.cuh"
#include "kernels/gemm/fma_block.cuh"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

void run(const FusedConvArgs& args, Context& context) {
  with_fma_block(args.filters(), [&](auto block) {
    launch_forward_tiles<decltype(block)>(forward_pass(args), context);
  });
}

}  // namespace

void register_fused_conv_1_implicit_gemm(OpRegistry& registry) {
  registry.add<FusedConvArgs>({"implicit_gemm", kDevice,
                               [](const FusedConvArgs& args) { return tiles_support(args); }, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
