// oneDNN's sgemm, which takes row-major matrices as they are.
#include <oneapi/dnnl/dnnl.h>
#include <oneapi/dnnl/dnnl_debug.h>

#include "kernels/core/onednn.h"
#include "kernels/gemm/gemm.h"

namespace topograd {

namespace {

void run(const GemmArgs& args, Context&) {
  const int64_t M = args.m();
  const int64_t N = args.n();
  const int64_t K = args.k();
  if (M == 0 || N == 0) return;
  if (K == 0) {
    if (args.write == Write::overwrite) args.c.fill_zero();
    return;
  }
  use_one_onednn_thread();
  const float beta = args.write == Write::accumulate ? 1.0F : 0.0F;
  const dnnl_status_t status =
      dnnl_sgemm(args.transpose_a ? 'T' : 'N', args.transpose_b ? 'T' : 'N', M, N, K, 1.0F,
                 args.a.data<float>(), args.transpose_a ? M : K, args.b.data<float>(),
                 args.transpose_b ? K : N, beta, args.c.data<float>(), N);
  require(status == dnnl_success, "gemm: dnnl_sgemm failed with ", dnnl_status2str(status),
          " for M=", M, " N=", N, " K=", K, "; try --impl gemm=reference");
}

}  // namespace

void register_gemm_onednn(OpRegistry& registry) {
  registry.add<GemmArgs>(
      {"onednn", Device::cpu, [](const GemmArgs& a) { return a.c.dtype() == DType::f32; }, run});
}

}  // namespace topograd
