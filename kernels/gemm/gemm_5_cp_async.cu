// C = A B, the tiles on their way while earlier ones are multiplied (cp.async, three stages).
//
// Since rung 4: no thread waits for global memory. The tile of a step is asked for two steps
// before, by copies that go from global to shared memory past the registers and report when they
// are done. Three tiles ("stages") lie in shared memory; step s multiplies stage s % 3:
//
//   wait        this thread's copies of tile s have come (those of s + 1 may still be under way)
//   barrier     so have all threads'; and all have done with tile s - 1
//   copy        begins tile s + 2, where tile s - 1 was
//   multiply    tile s, from shared memory
//
// One barrier a step in place of two. A block of 128 threads owns 128 x 64 elements of C and goes
// along K in steps of 16. A copy cannot turn a tile, so A's lies along K as in memory, and a thread
// reads four k of a row at once. Thread t, with y = t / 8 and x = t % 8, owns rows y, y + 16, ...,
// y + 112 at columns 4 x to 4 x + 3 and the same 32 to the right. (A warp reads four rows of A at
// once: with 20 floats a line they lie in different banks.)
//
// Work: 2 M N K FLOP. Traffic from global memory and its caches: 4 (1/64 + 1/128) bytes per
// product, as before. Shared memory: three stages of 14,336 bytes, 43,008.
// Instructions: for four k, 8 loads of A and 8 of B for 256 multiply-adds, as before; the stores to
// shared memory are gone, and so are the registers that held a tile between load and store. The
// multiply-adds bound it. Predicted: 75 to 85 % of the peak on sm_90, 85 to 90 % on sm_80, where
// the units that multiply are half as many.
//
// It needs what 16-byte copies need: lines of a multiple of four floats at multiples of 16 bytes,
// and neither operand transposed. Other products run on other rungs.
#include "kernels/core/launch.h"
#include "kernels/gemm/gemm.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kRows = 128, kColumns = 64, kDepth = 16, kStages = 3;
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

struct alignas(16) Stage {
  float a[kRows][kDepth + 4];
  float b[kDepth][kColumns];
};

__global__ void __launch_bounds__(kThreads)
    gemm_cp_async_kernel(float* __restrict__ c, const float* __restrict__ a,
                         const float* __restrict__ b, int M, int N, int K, bool accumulate) {
  __shared__ Stage stages[kStages];
  const int across = (N + kColumns - 1) / kColumns, t = static_cast<int>(threadIdx.x);
  const int first_row = static_cast<int>(blockIdx.x) / across * kRows;
  const int first_column = static_cast<int>(blockIdx.x) % across * kColumns;
  const int steps = (K + kDepth - 1) / kDepth;

  // Begins this thread's six copies of a step's tiles; zeros where A and B have ended.
  const auto begin_copies = [&](int step) {
    Stage& to = stages[step % kStages];
    for (int q = t; q < kRows * kDepth / 4; q += kThreads) {
      const int row = q / (kDepth / 4), k = q % (kDepth / 4) * 4, from_k = step * kDepth + k;
      const bool exists = first_row + row < M && from_k < K;
      copy_async_16(&to.a[row][k], exists ? a + int64_t{first_row + row} * K + from_k : a, exists);
    }
    for (int q = t; q < kColumns * kDepth / 4; q += kThreads) {
      const int k = q / (kColumns / 4), column = q % (kColumns / 4) * 4, from_k = step * kDepth + k;
      const bool exists = first_column + column < N && from_k < K;
      copy_async_16(&to.b[k][column], exists ? b + int64_t{from_k} * N + first_column + column : b,
                    exists);
    }
  };

  // This thread owns rows y + 16 i and columns 4 x + 32 j + 0..3 of the tile.
  const int y = t / kAcross, x = t % kAcross;
  float sums[8][8] = {};
  for (int step = 0; step < kStages - 1; ++step) {
    if (step < steps) begin_copies(step);
    copy_async_commit();  // group `step`, counted by the waits below; empty behind the last tile
  }
  for (int step = 0; step < steps; ++step) {
    copy_async_wait<kStages - 2>();  // this thread's part of tile `step` has come
    __syncthreads();  // all threads' parts have; and all have read the stage refilled now
    if (step + kStages - 1 < steps) begin_copies(step + kStages - 1);
    copy_async_commit();  // group step + 2
    const Stage& tile = stages[step % kStages];
#pragma unroll
    for (int k = 0; k < kDepth; k += 4) {
      Quad left[8];
#pragma unroll
      for (int i = 0; i < 8; ++i) left[i] = quad_at(&tile.a[y + kDown * i][k]);
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const Quad right[2] = {quad_at(&tile.b[k + e][4 * x]), quad_at(&tile.b[k + e][4 * x + 32])};
#pragma unroll
        for (int i = 0; i < 8; ++i)
#pragma unroll
          for (int j = 0; j < 8; ++j) sums[i][j] += left[i].v[e] * right[j / 4].v[j % 4];
      }
    }
  }
#pragma unroll
  for (int i = 0; i < 8; ++i)
#pragma unroll
    for (int j = 0; j < 8; j += 4) {
      const int row = first_row + y + kDown * i, column = first_column + 4 * x + 32 * (j / 4);
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
  launch(gemm_cp_async_kernel,
         dim3(static_cast<unsigned>(ceil_div(M, kRows) * ceil_div(N, kColumns))), dim3(kThreads), 0,
         context, pointer<float>(args.c), pointer<float>(args.a), pointer<float>(args.b), M, N, K,
         args.write == Write::accumulate);
}

}  // namespace

void register_gemm_5_cp_async(OpRegistry& registry) {
  registry.add<GemmArgs>({"cp_async", kDevice, supports, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
