// y = max(conv2d(x, w) + bias + residual, 0) on the tensor cores, for those who ask for
// Precision::bf16 or bf16x3.
//
// Since rung 1: the block that multiplies (kernels/gemm/tensor_core_block.cuh). x and w are rounded
// to bf16, once or into two parts, where they go from registers to shared memory; the sums, bias,
// residual and y are f32. A block of 4 warps owns 128 x 64 (128 x 32, 128 x 16) numbers of y, warp
// w rows 32 w to 32 w + 31.
//
// Work: 2 P N OH OW O KH KW I FLOP, three times that in bf16x3. Traffic as in rung 1. Shared
// memory: two tiles of 9,216 bytes (7,680; 6,912), twice that in bf16x3. Instructions of a step: 186
// (169; 167), of which 16 (8; 4) multiply; in bf16x3 318 (262; 274), of which 48 (24; 12). A tensor
// core is busy from one in four on: what is issued bounds both, by prediction
// (docs/results/kernel_resources.md), and what changes that is another layout of the activations
// (kernels/planar_conv/).
#include "kernels/fused_conv/fused_conv_tiles.cuh"
#include "kernels/gemm/tensor_core_block.cuh"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

void run(const FusedConvArgs& args, Context& context) {
  with_tensor_core_block(args.precision, args.filters(), [&](auto block) {
    launch_forward_tiles<decltype(block)>(forward_pass(args), context);
  });
}

}  // namespace

void register_fused_conv_2_bf16_tensor_core(OpRegistry& registry) {
  registry.add<FusedConvArgs>({"bf16_tensor_core", kDevice,
                               [](const FusedConvArgs& args) {
                                 return args.precision != Precision::f32 && tiles_support(args);
                               },
                               run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
