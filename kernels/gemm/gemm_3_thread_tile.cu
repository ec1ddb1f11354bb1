// C = op(A) op(B), each thread an 8 x 8 tile of C in registers.
//
// Since rung 2: a number that a thread has loaded from shared memory serves eight products. A block
// of 128 threads owns a tile of 128 x 64 elements of C and goes along K in steps of 16. Thread t,
// with y = t / 8 and x = t % 8, owns 64 of them: rows y, y + 16, ..., y + 112, each at columns x,
// x + 8, ..., x + 56. Neighbouring threads so read neighbouring numbers, and write them.
//
//            x = 0 1 ... 7 | 0 1 ... 7 | ...      per k:  8 numbers of A's tile, one for each of
//     y = 0    o           | o         |                  its rows, and 8 of B's, one for each of
//         1                |           |                  its columns, into registers;
//         :                |           |                  then 64 multiply-adds
//        15                |           |
//       ----  --------------------------
//         0    o           | o         |          o: thread 0's
//
// Work: 2 M N K FLOP. Traffic from global memory and its caches: 4 (1/64 + 1/128) bytes per
// product, an 85th of rung 1's. Shared memory: 12,416 bytes.
// Instructions: 16 loads from shared memory for 64 multiply-adds. A multiprocessor loads for one
// warp per clock and multiplies for 4 (sm_90) or 2 (sm_80): on sm_90 the loads take as long as the
// products and a fifth of the issue slots, on sm_80 half as long. While a block fetches its tiles
// from global memory it multiplies nothing; only other blocks do, three to a multiprocessor.
// Predicted: half of the peak on sm_90, two thirds on sm_80.
#include "kernels/core/launch.h"
#include "kernels/gemm/gemm.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kRows = 128, kColumns = 64, kDepth = 16;  // extents of the block's tile
constexpr int kDown = 16, kAcross = 8, kThreads = kDown * kAcross;
constexpr int kMyRows = kRows / kDown, kMyColumns = kColumns / kAcross;

/// Rows of A or columns of B: number k of line l is at data[l * line_step + k * k_step].
struct Operand {
  const float* data;
  int lines;
  int64_t line_step, k_step;
};

/// Brings kLines lines of an operand, 16 deep, into shared memory; zeros where it has none.
/// Neighbouring threads take neighbours in memory. (A line of an odd number of floats, in
/// shared memory, keeps neighbours along k in different banks.)
template <int kLines>
__device__ void copy_tile(float (&tile)[kDepth][kLines + 1], const Operand& from, int first_line,
                          int first_k, int K) {
  for (int e = static_cast<int>(threadIdx.x); e < kLines * kDepth; e += kThreads) {
    const int line = from.k_step == 1 ? e / kDepth : e % kLines;
    const int k = from.k_step == 1 ? e % kDepth : e / kLines;
    const bool exists = first_line + line < from.lines && first_k + k < K;
    tile[k][line] =
        exists ? from.data[(first_line + line) * from.line_step + (first_k + k) * from.k_step] : 0;
  }
}

__global__ void __launch_bounds__(kThreads)
    gemm_thread_tile_kernel(float* __restrict__ c, Operand a, Operand b, int K, bool accumulate) {
  __shared__ float tile_a[kDepth][kRows + 1], tile_b[kDepth][kColumns + 1];
  const int M = a.lines, N = b.lines, across = (N + kColumns - 1) / kColumns;
  const int first_row = static_cast<int>(blockIdx.x) / across * kRows;
  const int first_column = static_cast<int>(blockIdx.x) % across * kColumns;
  // This thread owns rows y + 16 i and columns x + 8 j of the tile.
  const int y = static_cast<int>(threadIdx.x) / kAcross,
            x = static_cast<int>(threadIdx.x) % kAcross;
  float sums[kMyRows][kMyColumns] = {};
  for (int k = 0; k < K; k += kDepth) {
    copy_tile<kRows>(tile_a, a, first_row, k, K);
    copy_tile<kColumns>(tile_b, b, first_column, k, K);
    __syncthreads();  // both tiles are complete before any thread reads them
#pragma unroll
    for (int d = 0; d < kDepth; ++d) {
      float left[kMyRows], right[kMyColumns];
#pragma unroll
      for (int i = 0; i < kMyRows; ++i) left[i] = tile_a[d][y + kDown * i];
#pragma unroll
      for (int j = 0; j < kMyColumns; ++j) right[j] = tile_b[d][x + kAcross * j];
#pragma unroll
      for (int i = 0; i < kMyRows; ++i)
#pragma unroll
        for (int j = 0; j < kMyColumns; ++j) sums[i][j] += left[i] * right[j];
    }
    __syncthreads();  // all threads have read both tiles before they are overwritten
  }
#pragma unroll
  for (int i = 0; i < kMyRows; ++i)
#pragma unroll
    for (int j = 0; j < kMyColumns; ++j) {
      const int row = first_row + y + kDown * i, column = first_column + x + kAcross * j;
      if (row >= M || column >= N) continue;
      float& mine = c[static_cast<int64_t>(row) * N + column];
      mine = accumulate ? mine + sums[i][j] : sums[i][j];
    }
}

bool supports(const GemmArgs& args) {
  return all_f32(args.c) && std::max({args.m(), args.n(), args.k()}) < int64_t{1} << 30;
}

void run(const GemmArgs& args, Context& context) {
  if (args.c.size() == 0) return;
  const int64_t M = args.m(), N = args.n(), K = args.k();
  const Operand a{.data = pointer<float>(args.a),
                  .lines = static_cast<int>(M),
                  .line_step = args.transpose_a ? 1 : K,
                  .k_step = args.transpose_a ? M : 1};
  const Operand b{.data = pointer<float>(args.b),
                  .lines = static_cast<int>(N),
                  .line_step = args.transpose_b ? K : 1,
                  .k_step = args.transpose_b ? 1 : N};
  launch(gemm_thread_tile_kernel,
         dim3(static_cast<unsigned>(ceil_div(M, kRows) * ceil_div(N, kColumns))), dim3(kThreads), 0,
         context, pointer<float>(args.c), a, b, K, args.write == Write::accumulate);
}

}  // namespace

void register_gemm_3_thread_tile(OpRegistry& registry) {
  registry.add<GemmArgs>({"thread_tile", kDevice, supports, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
