// Convolution as a tiled matrix product whose left matrix is never written (windows.cuh).
//
// Since rung 2: larger tiles of sums in registers, four channels in one load, divisions made
// multiplications, the next tile on its way while this one is multiplied (gemm's loop,
// kernels/gemm/tile.cuh), and the two gradients by the same loop. A block of 128 threads owns
// 128 x 64, 128 x 32 or 256 x 16 numbers of
//
//   forward          y    [N OH OW, O]    = windows(x) [N OH OW, KH KW I] filters^T [KH KW I, O]
//   backward data    dx_r [N A B, I]      = windows_r(dy) [N A B, T O]    filters_r [T O, I]
//   backward filter  dw^T [KH KW I, O]    = windows(x)^T [KH KW I, N OH OW] dy [N OH OW, O]
//
// Backward data: pixel h of dx takes part in output oh under tap kh where h + padding is
// oh stride + kh. So pixels whose h + padding leave the same remainder r meet the same taps: those
// kh that leave r too. With q = (h + padding - r) / stride and kh = r + stride j, oh is q - j: for
// each pair of remainders a convolution of stride 1 with T of the KH KW taps, passed backwards.
// Nothing is multiplied by zero because of the stride; the stride^2 launches write the pixels of dx
// between each other.
//
// Backward filter: the result is small and the sum long, N OH OW. So the sum is cut into parts,
// enough of them to occupy a GPU; each part's result goes to the workspace, and a second kernel
// adds them up in their order: the same bits every time, the same for every GPU.
//
// Work: 2 N OH OW O KH KW I FLOP. Traffic from the caches: 12 KB for each step of a tile of 128 x
// 64, 10 and 17 KB for the others. A block reads a number of x up to KH KW times, mostly from the
// first-level cache, because its pixels are neighbours; memory delivers it about once. Shared
// memory: two tiles, 25,600 bytes (21,504; 35,840). By prediction, fused multiply-adds and the
// reading of shared memory bound it from 16 channels on; with 3 input channels, the gathering does.
#include "kernels/conv2d/conv2d_tiles.cuh"
#include "kernels/gemm/fma_block.cuh"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

void forward(const Conv2dForwardArgs& args, Context& context) {
  with_fma_block(args.w.dim(0), [&](auto block) {
    launch_forward_tiles<decltype(block)>(forward_pass(args), context);
  });
}

void backward_data(const Conv2dBackwardDataArgs& args, Context& context) {
  with_fma_block(args.w.dim(3),
                 [&](auto block) { launch_backward_data<decltype(block)>(args, context); });
}

void backward_filter(const Conv2dBackwardFilterArgs& args, Context& context) {
  with_fma_block(args.dw.dim(0),
                 [&](auto block) { launch_backward_filter<decltype(block)>(args, context); });
}

template <class Args>
bool supports(const Args& args) {
  return tiles_support(args);
}

}  // namespace

void register_conv2d_3_implicit_gemm(OpRegistry& registry) {
  registry.add<Conv2dForwardArgs>({"implicit_gemm", kDevice, supports<Conv2dForwardArgs>, forward});
  registry.add<Conv2dBackwardDataArgs>(
      {"implicit_gemm", kDevice, supports<Conv2dBackwardDataArgs>, backward_data});
  registry.add<Conv2dBackwardFilterArgs>(
      {"implicit_gemm", kDevice, supports<Conv2dBackwardFilterArgs>, backward_filter});
}

}  // namespace topograd::TOPOGRAD_BACKEND
