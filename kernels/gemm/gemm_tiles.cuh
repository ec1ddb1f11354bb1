// gemm's arguments as operands of the tile loop, for every rung that uses it.
#pragma once

#include "kernels/gemm/gemm.h"
#include "kernels/gemm/tile.cuh"

namespace topograd::TOPOGRAD_BACKEND {

/// Block b owns tile b of C, counted along its rows; Block says which of its elements a
/// thread owns.
template <class Block, class A, class B>
__global__ void __launch_bounds__(kTileThreads)
    gemm_tiles_kernel(Output<RowMajor> c, A a, B b, int K) {
  multiply_tile<Block>(a, b, c, 0, K);
}

inline bool tiles_support(const GemmArgs& args) {
  return all_f32(args.c) && std::max({args.m(), args.n(), args.k()}) < kMaxTiled;
}

template <class Block, bool kAlongKOfA, bool kAlongKOfB>
void launch_gemm_tiles(const GemmArgs& args, Context& context) {
  const int M = static_cast<int>(args.m()), N = static_cast<int>(args.n());
  const int K = static_cast<int>(args.k());
  float* c = pointer<float>(args.c);
  const Output<RowMajor> output{.y = c,
                                .bias = nullptr,
                                .added = args.write == Write::accumulate ? c : nullptr,
                                .place = RowMajor{N},
                                .rows = M,
                                .columns = N,
                                .relu = false,
                                .quads = made_of_quads(c, N)};
  launch(gemm_tiles_kernel<Block, Matrix<kAlongKOfA>, Matrix<kAlongKOfB>>, tile_grid<Block>(M, N),
         dim3(kTileThreads), tile_shared_bytes<Block, Matrix<kAlongKOfA>, Matrix<kAlongKOfB>>(),
         context, output, matrix<kAlongKOfA>(pointer<float>(args.a), M, K),
         matrix<kAlongKOfB>(pointer<float>(args.b), N, K), K);
}

/// Computes C = op(A) op(B), whichever way the operands lie.
template <class Block>
void run_gemm_tiles(const GemmArgs& args, Context& context) {
  if (args.c.size() == 0) return;
  if (args.transpose_a) {
    if (args.transpose_b)
      launch_gemm_tiles<Block, false, true>(args, context);
    else
      launch_gemm_tiles<Block, false, false>(args, context);
  } else {
    if (args.transpose_b)
      launch_gemm_tiles<Block, true, true>(args, context);
    else
      launch_gemm_tiles<Block, true, false>(args, context);
  }
}

}  // namespace topograd::TOPOGRAD_BACKEND
