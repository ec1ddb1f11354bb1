#include "kernels/vector/vector.h"

#include <cmath>

namespace topograd {

namespace {

void check_alike(std::string_view op, const Tensor& first, const Tensor& second) {
  require(first.shape() == second.shape() && first.dtype() == second.dtype(), op, ": ",
          first.shape(), " of ", name_of(first.dtype()), " and ", second.shape(), " of ",
          name_of(second.dtype()), " must have one shape and type");
}

}  // namespace

void CopyArgs::check() const {
  require(y.size() == x.size() && y.dtype() == x.dtype(), kOp, ": ", y.shape(), " of ",
          name_of(y.dtype()), " and ", x.shape(), " of ", name_of(x.dtype()),
          " must have one size and type");
}

void AxpyArgs::check() const {
  check_alike(kOp, y, x);
}

void ScaleArgs::check() const {
  require(y.defined(), kOp, ": y is undefined");
}

void DotArgs::check() const {
  require(result.shape() == Shape{1} && result.dtype() == DType::f64, kOp,
          ": the result must be [1] of f64, got ", result.shape(), " of ", name_of(result.dtype()));
  check_alike(kOp, a, b);
}

void SumRowsArgs::check() const {
  require(x.shape().rank() == 2 && y.shape() == Shape{x.dim(1)} && x.dtype() == y.dtype(), kOp,
          ": the rows of x ", x.shape(), " must be like y ", y.shape(), ", in length and type");
}

double dot(const Tensor& a, const Tensor& b, Context& context) {
  const Tensor result({1}, DType::f64, context.device());
  dot({.result = result, .a = a, .b = b}, context);
  return result.to(Device::cpu).data<double>()[0];
}

double norm(const Tensor& a, Context& context) {
  return std::sqrt(dot(a, a, context));
}

}  // namespace topograd
