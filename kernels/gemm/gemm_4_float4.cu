// C = A B with four floats in every load and store.
//
// Since rung 3: 16 bytes per instruction, on all four ways: global memory to registers, registers
// to shared memory, shared memory to registers, sums to C. A block of 128 threads owns a tile of
// 128 x 64 elements of C, as there, and goes along K in steps of 16; but a thread's elements come
// in squares of 4 x 4. Thread t, with y = t / 8 and x = t % 8, owns rows 4 y to 4 y + 3 and the
// same 64 further down, at columns 4 x to 4 x + 3 and the same 32 to the right.
//
//   A lies along K, and a thread needs four rows of one k: its tile is turned on the way into
//   shared memory, four stores for one load. B lies along its columns, as it is needed.
//
// Work: 2 M N K FLOP. Traffic from global memory and its caches: 4 (1/64 + 1/128) bytes per
// product, in a quarter of rung 3's loads. Shared memory: 12,800 bytes.
// Instructions: 4 loads from shared memory for 64 multiply-adds, in place of 16. They carry as many
// bytes, but a quad that several lanes of a warp ask for moves once: 24 different quads of the 128
// that a warp's two loads of A and two of B name. So the multiply-adds bound it, with 94 % of the
// issue slots; what is lost is the time in which a block waits for its tiles. Predicted: 60 to 75 %
// of the peak on sm_90, 75 to 85 % on sm_80.
//
// It needs what float4 needs: lines of a multiple of four floats at multiples of 16 bytes, and
// neither operand transposed. Other products run on other rungs.
#include "kernels/core/launch.h"
#include "kernels/gemm/gemm.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kRows = 128, kColumns = 64, kDepth = 16;  // extents of the block's tile
constexpr int kDown = 16, kAcross = 8, kThreads = kDown * kAcross;

/// CUDA's float4, but with an index.
struct alignas(16) Quad {
  float v[4];
};
__device__ inline Quad& quad_at(float* p) {
  return *reinterpret_cast<Quad*>(p);
}
__device__ inline const Quad& quad_at(const float* p) {
  return *reinterpret_cast<const Quad*>(p);
}

__global__ void __launch_bounds__(kThreads)
    gemm_float4_kernel(float* __restrict__ c, const float* __restrict__ a,
                       const float* __restrict__ b, int M, int N, int K, bool accumulate) {
  // Four more floats a line: quads stay at multiples of 16 bytes, and of a warp's stores into A's
  // tile only two meet in a bank.
  __shared__ __align__(16) float tile_a[kDepth][kRows + 4], tile_b[kDepth][kColumns + 4];
  const int across = (N + kColumns - 1) / kColumns, t = static_cast<int>(threadIdx.x);
  const int first_row = static_cast<int>(blockIdx.x) / across * kRows;
  const int first_column = static_cast<int>(blockIdx.x) % across * kColumns;
  // This thread owns rows 4 y + 64 i + 0..3 and columns 4 x + 32 j + 0..3 of the tile.
  const int y = t / kAcross, x = t % kAcross;
  float sums[8][8] = {};
  for (int first_k = 0; first_k < K; first_k += kDepth) {
    for (int q = t; q < kRows * kDepth / 4; q += kThreads) {  // four quads of A for each thread
      const int row = q / (kDepth / 4), k = q % (kDepth / 4) * 4;
      const bool exists = first_row + row < M && first_k + k < K;
      const Quad quad = exists ? quad_at(a + int64_t{first_row + row} * K + first_k + k) : Quad{};
      for (int e = 0; e < 4; ++e) tile_a[k + e][row] = quad.v[e];
    }
    for (int q = t; q < kColumns * kDepth / 4; q += kThreads) {  // two quads of B
      const int k = q / (kColumns / 4), column = q % (kColumns / 4) * 4;
      const bool exists = first_column + column < N && first_k + k < K;
      quad_at(&tile_b[k][column]) =
          exists ? quad_at(b + int64_t{first_k + k} * N + first_column + column) : Quad{};
    }
    __syncthreads();  // both tiles are complete before any thread reads them
#pragma unroll
    for (int k = 0; k < kDepth; ++k) {
      const Quad left[2] = {quad_at(&tile_a[k][4 * y]), quad_at(&tile_a[k][4 * y + 64])};
      const Quad right[2] = {quad_at(&tile_b[k][4 * x]), quad_at(&tile_b[k][4 * x + 32])};
#pragma unroll
      for (int i = 0; i < 8; ++i)
#pragma unroll
        for (int j = 0; j < 8; ++j) sums[i][j] += left[i / 4].v[i % 4] * right[j / 4].v[j % 4];
    }
    __syncthreads();  // all threads have read both tiles before they are overwritten
  }
#pragma unroll
  for (int i = 0; i < 8; ++i)
#pragma unroll
    for (int j = 0; j < 8; j += 4) {
      const int row = first_row + 4 * y + 64 * (i / 4) + i % 4;
      const int column = first_column + 4 * x + 32 * (j / 4);
      if (row >= M || column >= N) continue;
      Quad& mine = quad_at(c + int64_t{row} * N + column);
      Quad result{{sums[i][j], sums[i][j + 1], sums[i][j + 2], sums[i][j + 3]}};
      const Quad before = accumulate ? mine : Quad{};
      for (int e = 0; e < 4; ++e) result.v[e] += before.v[e];
      mine = result;
    }
}

bool supports(const GemmArgs& args) {
  if (!all_f32(args.c) || args.transpose_a || args.transpose_b) return false;
  const auto aligned = [](const Tensor& t) {
    return reinterpret_cast<uintptr_t>(t.raw()) % 16 == 0;
  };
  return std::max({args.m(), args.n(), args.k()}) < int64_t{1} << 30 && args.n() % 4 == 0 &&
         args.k() % 4 == 0 && aligned(args.a) && aligned(args.b) && aligned(args.c);
}

void run(const GemmArgs& args, Context& context) {
  if (args.c.size() == 0) return;
  const int64_t M = args.m(), N = args.n(), K = args.k();
  launch(gemm_float4_kernel,
         dim3(static_cast<unsigned>(ceil_div(M, kRows) * ceil_div(N, kColumns))), dim3(kThreads), 0,
         context, pointer<float>(args.c), pointer<float>(args.a), pointer<float>(args.b), M, N, K,
         args.write == Write::accumulate);
}

}  // namespace

void register_gemm_4_float4(OpRegistry& registry) {
  registry.add<GemmArgs>({"float4", kDevice, supports, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
