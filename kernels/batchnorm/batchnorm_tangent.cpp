#include "kernels/batchnorm/batchnorm_tangent.h"

#include <array>
#include <utility>

namespace topograd {

namespace {

using Named = std::pair<std::string_view, const Tensor*>;

int64_t channels_of(std::string_view op, const Tensor& x) {
  require(x.shape().rank() >= 1 && x.dim(x.shape().rank() - 1) > 0, op, ": x ", x.shape(),
          " has no channels");
  return x.dim(x.shape().rank() - 1);
}

void check_vectors(std::string_view op, std::initializer_list<Named> vectors, int64_t channels) {
  for (const auto& [name, t] : vectors)
    require(t->shape() == Shape{channels}, op, ": ", name, " is ", t->shape(), ", expected ",
            Shape{channels});
}

void check_same(std::string_view op, const Tensor& x, std::initializer_list<Named> others) {
  for (const auto& [name, t] : others)
    require(t->shape() == x.shape() && t->dtype() == x.dtype(), op, ": ", name, " is ", t->shape(),
            ", unlike ", x.shape());
}

}  // namespace

void BatchnormTangentState::check(std::string_view op, int64_t channels) const {
  check_vectors(op, {{"mean", &mean}, {"variance", &variance}}, channels);
  require(sum_products.defined() == sum_tangents.defined(), op,
          ": one sum of the tangents without the other");
  if (!is_batch()) return;
  check_vectors(op, {{"sum_products", &sum_products}, {"sum_tangents", &sum_tangents}}, channels);
  require(count > 0, op, ": count is ", count);
}

void BatchnormTangentArgs::check() const {
  const int64_t C = channels_of(kOp, x);
  check_same(kOp, x, {{"x_tangent", &x_tangent}, {"y_tangent", &y_tangent}});
  require(gamma.defined() == gamma_tangent.defined() && gamma.defined() == beta_tangent.defined(),
          kOp, ": some of the parameters are there, and some are not");
  if (gamma.defined())
    check_vectors(
        kOp,
        {{"gamma", &gamma}, {"gamma_tangent", &gamma_tangent}, {"beta_tangent", &beta_tangent}}, C);
  state.check(kOp, C);
}

void BatchnormTangentSumsArgs::check() const {
  const int64_t C = channels_of(kOp, x);
  check_same(kOp, x, {{"x_tangent", &x_tangent}, {"dy", &dy}, {"dy_tangent", &dy_tangent}});
  check_vectors(kOp, {{"dgamma_tangent", &dgamma_tangent}, {"dbeta_tangent", &dbeta_tangent}}, C);
  state.check(kOp, C);
}

void BatchnormTangentBackwardArgs::check() const {
  const int64_t C = channels_of(kOp, dy);
  check_same(kOp, dy, {{"dy_tangent", &dy_tangent}, {"dx_tangent", &dx_tangent}});
  require(gamma.defined() == gamma_tangent.defined(), kOp,
          ": gamma without its tangent, or the reverse");
  if (gamma.defined())
    check_vectors(kOp, {{"gamma", &gamma}, {"gamma_tangent", &gamma_tangent}}, C);
  state.check(kOp, C);
  for (const Tensor* sum : {&dgamma, &dbeta, &dgamma_tangent, &dbeta_tangent})
    require(sum->defined() == state.is_batch(), kOp,
            ": some of the batch's sums are there, and some are not");
  if (!state.is_batch()) return;
  check_same(kOp, dy, {{"x", &x}, {"x_tangent", &x_tangent}});
  check_vectors(kOp,
                {{"dgamma", &dgamma},
                 {"dbeta", &dbeta},
                 {"dgamma_tangent", &dgamma_tangent},
                 {"dbeta_tangent", &dbeta_tangent}},
                C);
}

}  // namespace topograd
