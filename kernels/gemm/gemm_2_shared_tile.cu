// C = op(A) op(B) from tiles in shared memory, one thread per element of C.
//
// Since rung 1: the numbers of A and B that a block needs are brought into shared memory once, and
// read there 32 times. A block of 32 x 32 threads owns a tile of 32 x 32 elements of C, thread (x,
// y) the one in row y and column x, and goes along K in steps of 32:
//
//            K                   N            each step: 32 x 32 numbers of A and of B come in,
//       +----------+        +----------+      every thread brings one of each; then every thread
//       |          |        |    ||    |      multiplies its row of A's tile by its column of B's
//     M |== 32 =>  | A    K |    32    | B
//       |          |        |    ||    |
//       +----------+        +----vv----+
//
// Work: 2 M N K FLOP. Traffic from global memory and its caches: 8/32 bytes per product, a 32nd of
// rung 1's, in whole lines whether an operand is transposed or not. Shared memory: 9,216 bytes.
// Instructions: a product still loads two numbers, now from shared memory. Those of A are
// neighbours along k, and the compiler loads four at once: 1.25 loads for each multiply-add. A
// multiprocessor loads for one warp per clock and multiplies for 4 (sm_90) or 2 (sm_80). So the
// loads bound it, at 1/5 of the peak on sm_90 and 2/5 on sm_80 (predicted), less what the two
// barriers of a step cost. The next rung keeps what was loaded in registers.
#include "kernels/core/launch.h"
#include "kernels/gemm/gemm.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kTile = 32;

/// Element (row, k) of A is at a[row * a_row + k * a_k], (k, column) of B at
/// b[k * b_k + column * b_column]: transposition is a pair of steps.
struct Steps {
  int64_t a_row, a_k, b_k, b_column;
};

__global__ void __launch_bounds__(kTile* kTile)
    gemm_shared_tile_kernel(float* __restrict__ c, const float* __restrict__ a,
                            const float* __restrict__ b, int M, int N, int K, Steps s,
                            bool accumulate) {
  // A line's four more floats keep lines at multiples of 16 bytes, for loads of four, and spread a
  // column over 8 banks.
  __shared__ __align__(16) float tile_a[kTile][kTile + 4], tile_b[kTile][kTile + 4];
  const int x = static_cast<int>(threadIdx.x), y = static_cast<int>(threadIdx.y);
  const int across = (N + kTile - 1) / kTile;
  const int first_row = static_cast<int>(blockIdx.x) / across * kTile;
  const int first_column = static_cast<int>(blockIdx.x) % across * kTile;
  // Place of this thread's element in each tile: neighbours x are neighbours in memory.
  const int a_row = s.a_k == 1 ? y : x, a_k = s.a_k == 1 ? x : y;
  const int b_k = s.b_column == 1 ? y : x, b_column = s.b_column == 1 ? x : y;
  const float* my_a = a + (first_row + a_row) * s.a_row + a_k * s.a_k;
  const float* my_b = b + b_k * s.b_k + (first_column + b_column) * s.b_column;
  const bool in_a = first_row + a_row < M, in_b = first_column + b_column < N;

  // This thread owns C[first_row + y, first_column + x].
  float sum = 0;
  for (int k = 0; k < K; k += kTile) {
    tile_a[a_row][a_k] = in_a && k + a_k < K ? my_a[k * s.a_k] : 0;
    tile_b[b_k][b_column] = in_b && k + b_k < K ? my_b[k * s.b_k] : 0;
    __syncthreads();  // both tiles are complete before any thread reads them
#pragma unroll
    for (int i = 0; i < kTile; ++i) sum += tile_a[y][i] * tile_b[i][x];
    __syncthreads();  // all threads have read both tiles before they are overwritten
  }
  const int row = first_row + y, column = first_column + x;
  if (row >= M || column >= N) return;
  float& mine = c[static_cast<int64_t>(row) * N + column];
  mine = accumulate ? mine + sum : sum;
}

bool supports(const GemmArgs& args) {
  return all_f32(args.c) && std::max({args.m(), args.n(), args.k()}) < int64_t{1} << 30;
}

void run(const GemmArgs& args, Context& context) {
  if (args.c.size() == 0) return;
  const int64_t M = args.m(), N = args.n(), K = args.k();
  const Steps steps{.a_row = args.transpose_a ? 1 : K,
                    .a_k = args.transpose_a ? M : 1,
                    .b_k = args.transpose_b ? 1 : N,
                    .b_column = args.transpose_b ? K : 1};
  launch(gemm_shared_tile_kernel,
         dim3(static_cast<unsigned>(ceil_div(M, kTile) * ceil_div(N, kTile))), dim3(kTile, kTile),
         0, context, pointer<float>(args.c), pointer<float>(args.a), pointer<float>(args.b), M, N,
         K, steps, args.write == Write::accumulate);
}

}  // namespace

void register_gemm_2_shared_tile(OpRegistry& registry) {
  registry.add<GemmArgs>({"shared_tile", kDevice, supports, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
