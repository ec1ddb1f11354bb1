// Convolution and its gradients on the tensor cores, for those who ask for Precision::bf16 or
// bf16x3.
//
// Since rung 3: the block that multiplies (kernels/gemm/tensor_core_block.cuh). Both operands of a
// product, whatever they are (images, filters, gradients), are rounded to bf16, once or into two
// parts, on their way from registers to shared memory; sums and results are f32. That is how
// networks are trained in bf16 with f32 masters: the weights that the optimizer moves, and whatever
// lies between the products, never lose a bit (P. Micikevicius et al., "Mixed Precision Training",
// ICLR 2018; bf16 has the exponents of f32, so losses need no scaling).
//
// A block of 4 warps owns 128 x 64 (128 x 32, 128 x 16) numbers of the result, warp w rows 32 w to
// 32 w + 31. Work and traffic as in rung 3, in bf16x3 three times the work. Shared memory: two
// tiles of 9,216 bytes (7,680; 6,912), twice that in bf16x3. By prediction, bf16 is bound by the
// bytes of a step between caches, shared memory and registers, as fused_conv's second rung is.
#include "kernels/conv2d/conv2d_tiles.cuh"
#include "kernels/gemm/tensor_core_block.cuh"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

void forward(const Conv2dForwardArgs& args, Context& context) {
  with_tensor_core_block(args.precision, args.w.dim(0), [&](auto block) {
    launch_forward_tiles<decltype(block)>(forward_pass(args), context);
  });
}

void backward_data(const Conv2dBackwardDataArgs& args, Context& context) {
  with_tensor_core_block(args.precision, args.w.dim(3),
                         [&](auto block) { launch_backward_data<decltype(block)>(args, context); });
}

void backward_filter(const Conv2dBackwardFilterArgs& args, Context& context) {
  with_tensor_core_block(args.precision, args.dw.dim(0), [&](auto block) {
    launch_backward_filter<decltype(block)>(args, context);
  });
}

template <class Args>
bool supports(const Args& args) {
  return args.precision != Precision::f32 && tiles_support(args);
}

}  // namespace

void register_conv2d_4_bf16_tensor_core(OpRegistry& registry) {
  registry.add<Conv2dForwardArgs>(
      {"bf16_tensor_core", kDevice, supports<Conv2dForwardArgs>, forward});
  registry.add<Conv2dBackwardDataArgs>(
      {"bf16_tensor_core", kDevice, supports<Conv2dBackwardDataArgs>, backward_data});
  registry.add<Conv2dBackwardFilterArgs>(
      {"bf16_tensor_core", kDevice, supports<Conv2dBackwardFilterArgs>, backward_filter});
}

}  // namespace topograd::TOPOGRAD_BACKEND
