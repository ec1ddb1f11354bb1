#include "kernels/add/add.h"

namespace topograd {

namespace {

/// Throws Error unless `wide` is [..., C] and `narrow` [C], of one type.
void check_columns(std::string_view op, const char* wide_name, const Tensor& wide,
                   const char* narrow_name, const Tensor& narrow) {
  const int rank = wide.shape().rank();
  require(
      rank >= 1 && narrow.shape() == Shape{wide.dim(rank - 1)} && narrow.dtype() == wide.dtype(),
      op, ": ", narrow_name, " ", narrow.shape(), " must have one element per channel of ",
      wide_name, " ", wide.shape(), ", and its type");
}

}  // namespace

void AddArgs::check() const {
  require(a.shape() == y.shape() && b.shape() == y.shape() && a.dtype() == y.dtype() &&
              b.dtype() == y.dtype(),
          kOp, ": y ", y.shape(), ", a ", a.shape(), " and b ", b.shape(),
          " must have one shape and type");
}

void AddBiasArgs::check() const {
  check_columns(kOp, "y", y, "bias", bias);
}

void BiasGradientArgs::check() const {
  check_columns(kOp, "dy", dy, "db", db);
}

}  // namespace topograd
