#include "kernels/random/random_normal.h"

#include <cmath>

namespace topograd {

void RandomNormalArgs::check() const {
  require(y.dtype() == DType::f32 || y.dtype() == DType::f64, kOp, ": y is of ", name_of(y.dtype()),
          "; normal numbers are real");
  require(std::isfinite(scale), kOp, ": the scale is ", scale);
}

}  // namespace topograd
