#include "kernels/gemm/gemm.h"

namespace topograd {

void GemmArgs::check() const {
  require(c.shape().rank() == 2 && a.shape().rank() == 2 && b.shape().rank() == 2, kOp,
          ": c, a and b must be matrices, got ", c.shape(), ", ", a.shape(), ", ", b.shape());
  require(a.dim(transpose_a ? 1 : 0) == m() && b.dim(transpose_b ? 1 : 0) == k() &&
              b.dim(transpose_b ? 0 : 1) == n(),
          kOp, ": ", a.shape(), transpose_a ? "^T" : "", " times ", b.shape(),
          transpose_b ? "^T" : "", " does not give ", c.shape());
  require(a.dtype() == c.dtype() && b.dtype() == c.dtype(), kOp, ": c, a and b are of types ",
          name_of(c.dtype()), ", ", name_of(a.dtype()), ", ", name_of(b.dtype()),
          "; they must be of one type");
}

}  // namespace topograd
