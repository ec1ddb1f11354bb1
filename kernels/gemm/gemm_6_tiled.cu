// C = op(A) op(B) by the project's tile engine: any size, any transposition, as wide as C is.
//
// Since rung 5: one loop for every product here. What rungs 3 to 5 do in one file each is taken
// apart: operands know where their numbers lie, a block how it multiplies, an output where its
// sums go (tile.cuh). So gemm and the convolutions, with f32 or tensor cores, are the same loop.
// Tiles come by way of registers again, not by cp.async: on that way they are turned, filled up
// with zeros where sizes do not divide, and rounded to bf16 where rung 7 wants it. Two of them are
// in shared memory, with one barrier a step.
//
// A block of 128 threads owns a tile of C of 128 x 64 elements (128 x 32 or 256 x 16 where C is
// that narrow) and brings A and B into shared memory 16 deep at a time; each thread multiplies
// 8 x 8 (8 x 4) of them from registers (fma_block.cuh). Blocks go along the rows of C. In a tile of
// 128 x 64, thread t owns four rows from 4 (t / 8) on and those 64 further down, four columns from
// 4 (t % 8) on and those 32 to the right. Work: 2 M N K FLOP. Traffic from global memory and its
// caches: 4 (1/64 + 1/128) bytes per product, an 85th of rung 1's. Shared memory: two tiles, 25,600
// bytes (21,504; 35,840). By prediction, fused multiply-adds and the reading of shared memory bound
// it where C has tiles enough for all multiprocessors, at 70 to 80 % of the peak on sm_90 and 80 to
// 90 % on sm_80, whose multipliers are half as many; a smaller C leaves some of them idle.
#include "kernels/gemm/fma_block.cuh"
#include "kernels/gemm/gemm_tiles.cuh"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

void run(const GemmArgs& args, Context& context) {
  with_fma_block(args.n(), [&](auto block) { run_gemm_tiles<decltype(block)>(args, context); });
}

}  // namespace

void register_gemm_6_tiled(OpRegistry& registry) {
  registry.add<GemmArgs>({"tiled", kDevice, tiles_support, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
