// cuBLAS's sgemm. It thinks in columns: a row-major matrix is to it the transposed one, and so
// C = op(A) op(B) becomes C^T = op(B)^T op(A)^T, the operands exchanged and nothing moved.
#include "kernels/cuda/cublas_handle.h"
#include "kernels/gemm/gemm.h"

namespace topograd::cuda {

namespace {

/// Whether cuBLAS runs it: products of f32, for tf32 too; lower precision is for tensor cores.
bool supports(const GemmArgs& args) {
  return args.c.dtype() == DType::f32 &&
         (args.precision == Precision::f32 || args.precision == Precision::tf32) &&
         Cublas::library() != nullptr;
}

void run(const GemmArgs& args, Context& context) {
  const int64_t M = args.m();
  const int64_t N = args.n();
  const int64_t K = args.k();
  if (M == 0 || N == 0) return;
  float* c = elements_of(args.c);
  if (K == 0) {
    if (args.write == Write::overwrite)
      check(cudaMemsetAsync(c, 0, static_cast<size_t>(args.c.bytes()), stream_of(context)),
            "gemm: clearing C");
    return;
  }
  const float alpha = 1.0F;
  const float beta = args.write == Write::accumulate ? 1.0F : 0.0F;
  const cublasHandle_t handle = cublas_of(context);
  check(Cublas::library()->sgemm(handle, args.transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N,
                                 args.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N, N, M, K, &alpha,
                                 elements_of(args.b), args.transpose_b ? K : N, elements_of(args.a),
                                 args.transpose_a ? M : K, &beta, c, N),
        "cublasSgemm", "gemm of M=", M, " N=", N, " K=", K);
}

}  // namespace

void register_gemm_cublas(OpRegistry& registry) {
  registry.add<GemmArgs>({"cublas", Device::cuda, supports, run});
}

}  // namespace topograd::cuda
