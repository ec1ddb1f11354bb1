// C = op(A) op(B), one thread per element of C.
//
// Thread i owns elements i, i + step, ... of C, row by row, and walks along K. Neighbouring threads
// have the same row of A (one broadcast) and neighbouring columns of B (one line), unless B is
// transposed: then every thread of a warp reads a line of its own.
// Work: 2 M N K FLOP. Traffic: 8 bytes for every product, 8 M N K in all, nearly all of it from the
// caches. A multiprocessor can do 128 products a clock, and 32 loads: two to a product make it 16.
// The load instructions bound it; the next rung lets one load serve many products.
#include "kernels/core/launch.h"
#include "kernels/gemm/gemm.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;

/// Element (row, k) of A is at a[row * a_row + k * a_k], (k, column) of B at
/// b[k * b_k + column * b_column]: transposition is a pair of steps.
struct Steps {
  int64_t a_row, a_k, b_k, b_column;
};

__global__ void __launch_bounds__(kThreads)
    gemm_naive_kernel(float* __restrict__ c, const float* __restrict__ a,
                      const float* __restrict__ b, int64_t M, int64_t N, int64_t K, Steps steps,
                      bool accumulate) {
  // This thread owns elements first_element(), first_element() + element_step(), ... of C.
  for (int64_t i = first_element(); i < M * N; i += element_step()) {
    const float* left = a + i / N * steps.a_row;
    const float* right = b + i % N * steps.b_column;
    float sum = 0;
    for (int64_t k = 0; k < K; ++k) sum += left[k * steps.a_k] * right[k * steps.b_k];
    c[i] = accumulate ? c[i] + sum : sum;
  }
}

void run(const GemmArgs& args, Context& context) {
  const int64_t M = args.m(), N = args.n(), K = args.k();
  const Steps steps{.a_row = args.transpose_a ? 1 : K,
                    .a_k = args.transpose_a ? M : 1,
                    .b_k = args.transpose_b ? 1 : N,
                    .b_column = args.transpose_b ? K : 1};
  launch(gemm_naive_kernel, grid_for(M * N, kThreads), dim3(kThreads), 0, context,
         pointer<float>(args.c), pointer<float>(args.a), pointer<float>(args.b), M, N, K, steps,
         args.write == Write::accumulate);
}

}  // namespace

void register_gemm_1_naive(OpRegistry& registry) {
  registry.add<GemmArgs>(
      {"naive", kDevice, [](const GemmArgs& args) { return all_f32(args.c); }, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
