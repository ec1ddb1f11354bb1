#include "kernels/batchnorm/batchnorm.h"

namespace topograd {

namespace {

int64_t channels_of(std::string_view op, const Tensor& x) {
  require(x.shape().rank() >= 1 && x.dim(x.shape().rank() - 1) > 0, op, ": x ", x.shape(),
          " has no channels");
  return x.dim(x.shape().rank() - 1);
}

void check_vector(std::string_view op, std::string_view name, const Tensor& t, int64_t channels) {
  require(t.shape() == Shape{channels}, op, ": ", name, " is ", t.shape(), ", expected ",
          Shape{channels});
}

void check_same(std::string_view op, const Tensor& a, const Tensor& b) {
  require(a.shape() == b.shape() && a.dtype() == b.dtype(), op, ": tensors ", a.shape(), " and ",
          b.shape(), " differ");
}

}  // namespace

void BatchnormMomentsArgs::check() const {
  const int64_t C = channels_of(kOp, x);
  require(x.size() > 0, kOp, ": x is empty");
  require(moments.shape() == Shape{2, C} && moments.dtype() == DType::f64, kOp, ": moments is ",
          moments.shape(), " ", name_of(moments.dtype()), ", expected f64 ", Shape{2, C});
}

void BatchnormCombineArgs::check() const {
  require(moments.shape().rank() == 3 && moments.dim(1) == 2 && moments.dim(0) > 0, kOp,
          ": moments is ", moments.shape());
  const int64_t C = moments.dim(2);
  require(count_per_chunk > 0 && count > (moments.dim(0) - 1) * count_per_chunk &&
              count <= moments.dim(0) * count_per_chunk,
          kOp, ": ", moments.dim(0), " chunks of ", count_per_chunk, " elements do not make ",
          count);
  check_vector(kOp, "mean", mean, C);
  check_vector(kOp, "variance", variance, C);
  require(running_mean.defined() == running_variance.defined(), kOp,
          ": one running statistic without the other");
  if (!running_mean.defined()) return;
  check_vector(kOp, "running_mean", running_mean, C);
  check_vector(kOp, "running_variance", running_variance, C);
}

void BatchnormNormaliseArgs::check() const {
  const int64_t C = channels_of(kOp, x);
  check_same(kOp, x, y);
  require(gamma.defined() == beta.defined(), kOp, ": gamma without beta, or the reverse");
  if (gamma.defined()) check_vector(kOp, "gamma", gamma, C);
  if (beta.defined()) check_vector(kOp, "beta", beta, C);
  check_vector(kOp, "mean", mean, C);
  check_vector(kOp, "variance", variance, C);
}

void BatchnormBackwardSumsArgs::check() const {
  const int64_t C = channels_of(kOp, x);
  check_same(kOp, x, dy);
  check_vector(kOp, "dgamma", dgamma, C);
  check_vector(kOp, "dbeta", dbeta, C);
  check_vector(kOp, "mean", mean, C);
  check_vector(kOp, "variance", variance, C);
}

void BatchnormBackwardArgs::check() const {
  const int64_t C = channels_of(kOp, dy);
  check_same(kOp, dx, dy);
  if (gamma.defined()) check_vector(kOp, "gamma", gamma, C);
  check_vector(kOp, "variance", variance, C);
  require(dgamma.defined() == dbeta.defined(), kOp, ": dgamma without dbeta, or the reverse");
  if (!dgamma.defined()) return;
  check_same(kOp, x, dy);
  check_vector(kOp, "mean", mean, C);
  check_vector(kOp, "dgamma", dgamma, C);
  check_vector(kOp, "dbeta", dbeta, C);
  require(count > 0, kOp, ": count is ", count);
}

}  // namespace topograd
