// C = op(A) op(B) from tiles in shared memory, each thread 32 or 64 sums in registers.
//
// Since rung 1: a number that has been loaded serves many products. A block of 128 threads owns a
// tile of C, of 128 x 64 elements (128 x 32 or 256 x 16 where C is that narrow), and brings A and B
// into shared memory 16 deep at a time (tile.cuh); each thread multiplies 8 x 8 (8 x 4) of them
// from registers (fma_block.cuh). Blocks go along the rows of C. In a tile of 128 x 64, thread t
// owns four rows from 4 (t / 8) on and those 64 further down, four columns from 4 (t % 8) on and
// those 32 to the right. Work: 2 M N K FLOP. Traffic from global memory and its caches: 4 (1/64 +
// 1/128) bytes per product, an 85th of rung 1's. Shared memory: two tiles, 25,600 bytes (21,504;
// 35,840). By prediction, fused multiply-adds and the reading of shared memory bound it where C has
// tiles enough for all multiprocessors; a smaller C leaves some of them idle.
//
// Sizes need not divide: what lies outside A and B is zero in the tile, and not stored in C.
#include "kernels/gemm/fma_block.cuh"
#include "kernels/gemm/gemm_tiles.cuh"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

void run(const GemmArgs& args, Context& context) {
  with_fma_block(args.n(), [&](auto block) { run_gemm_tiles<decltype(block)>(args, context); });
}

}  // namespace

void register_gemm_2_tiled(OpRegistry& registry) {
  registry.add<GemmArgs>({"tiled", kDevice, tiles_support, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
