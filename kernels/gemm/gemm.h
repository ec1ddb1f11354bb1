// Matrix multiplication.
#pragma once

#include "kernels/core/op.h"

namespace topograd {

/// C = op(A) op(B), or C += op(A) op(B), row-major; op transposes where asked. All three of one
/// real type; C overlaps neither A nor B. K = 0 gives zeros.
struct GemmArgs {
  static constexpr std::string_view kOp = "gemm";
  Tensor c;  ///< [M, N]
  Tensor a;  ///< [M, K], or [K, M] if transpose_a
  Tensor b;  ///< [K, N], or [N, K] if transpose_b
  bool transpose_a = false;
  bool transpose_b = false;
  Write write = Write::overwrite;
  Precision precision = Precision::f32;

  int64_t m() const { return c.dim(0); }
  int64_t n() const { return c.dim(1); }
  int64_t k() const { return a.dim(transpose_a ? 0 : 1); }
  void check() const;
};
inline void gemm(const GemmArgs& args, Context& context) {
  run_op(args, context);
}

}  // namespace topograd
