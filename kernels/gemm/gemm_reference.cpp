// Three loops, the sum in double: the oracle.
#include "kernels/gemm/gemm.h"

namespace topograd {

namespace {

void run(const GemmArgs& args, Context&) {
  with_real_type(args.c.dtype(), [&](auto real) {
    using T = decltype(real);
    const int64_t M = args.m();
    const int64_t N = args.n();
    const int64_t K = args.k();
    const T* a = args.a.data<T>();
    const T* b = args.b.data<T>();
    T* c = args.c.data<T>();
    for (int64_t m = 0; m < M; ++m) {
      for (int64_t n = 0; n < N; ++n) {
        double sum = args.write == Write::accumulate ? c[m * N + n] : 0.0;
        for (int64_t k = 0; k < K; ++k) {
          const double left = args.transpose_a ? a[k * M + m] : a[m * K + k];
          const double right = args.transpose_b ? b[n * K + k] : b[k * N + n];
          sum += left * right;
        }
        c[m * N + n] = static_cast<T>(sum);
      }
    }
  });
}

}  // namespace

void register_gemm_reference(OpRegistry& registry) {
  registry.add<GemmArgs>({"reference", Device::cpu, supports_all, run});
}

}  // namespace topograd
