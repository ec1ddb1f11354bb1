#include "kernels/filter_norm/filter_norm.h"

namespace topograd {

void FilterNormsArgs::check() const {
  require(norms.shape() == Shape{count} && norms.dtype() == DType::f64, kOp, ": norms must be [",
          count, "] of f64, got ", norms.shape(), " of ", name_of(norms.dtype()));
  require(count == 0 || segments != nullptr, kOp, ": no segments given, ", count, " announced");
  for (int64_t i = 0; i < count; ++i) {
    const auto [offset, length] = segments[i];
    require(0 <= offset && 0 <= length && offset <= x.size() && length <= x.size() - offset, kOp,
            ": segment ", i, " at ", offset, " of length ", length, " leaves a vector of ",
            x.size(), " elements");
  }
}

}  // namespace topograd
