#include "kernels/layer_norm/layer_norm.h"

#include <initializer_list>

#include "kernels/layer_norm/layer_norm_tangent.h"

namespace topograd {

namespace {

/// Throws Error unless the tensors are like x, and the vectors [C], or the optional ones all
/// undefined.
void check_shapes(std::string_view op, const Tensor& x, double epsilon,
                  std::initializer_list<const Tensor*> like_x,
                  std::initializer_list<const Tensor*> optional,
                  std::initializer_list<const Tensor*> per_channel = {}) {
  require(x.shape().rank() >= 1, op, ": x must have an axis of channels");
  const int64_t C = x.dim(x.shape().rank() - 1);
  require(C > 0, op, ": x is ", x.shape(), ", which has no channels");
  require(epsilon > 0, op, ": epsilon must be above 0, got ", epsilon);
  for (const Tensor* t : like_x)
    require(t->shape() == x.shape() && t->dtype() == x.dtype(), op, ": ", t->shape(), " of ",
            name_of(t->dtype()), " beside x, ", x.shape(), " of ", name_of(x.dtype()));
  const auto check_vector = [&](const Tensor& t) {
    require(t.shape() == Shape{C} && t.dtype() == x.dtype(), op, ": ", t.shape(), " of ",
            name_of(t.dtype()), " for the ", C, " channels of x, of ", name_of(x.dtype()));
  };
  for (const Tensor* t : per_channel) check_vector(*t);
  for (const Tensor* t : optional) {
    require(t->defined() == (*optional.begin())->defined(), op,
            ": some of the parameters are there, and some are not");
    if (t->defined()) check_vector(*t);
  }
}

}  // namespace

void LayerNormArgs::check() const {
  check_shapes(kOp, x, epsilon, {&y}, {&gamma, &beta});
}

void LayerNormBackwardArgs::check() const {
  check_shapes(kOp, x, epsilon, {&dx, &dy}, {&gamma});
}

void LayerNormBackwardSumsArgs::check() const {
  check_shapes(kOp, x, epsilon, {&dy}, {}, {&dgamma, &dbeta});
}

void LayerNormTangentArgs::check() const {
  check_shapes(kOp, x, epsilon, {&y_tangent, &x_tangent}, {&gamma, &gamma_tangent, &beta_tangent});
}

void LayerNormTangentBackwardArgs::check() const {
  check_shapes(kOp, x, epsilon, {&dx_tangent, &dy_tangent, &dy, &x_tangent},
               {&gamma, &gamma_tangent});
}

void LayerNormTangentSumsArgs::check() const {
  check_shapes(kOp, x, epsilon, {&dy_tangent, &dy, &x_tangent}, {},
               {&dgamma_tangent, &dbeta_tangent});
}

}  // namespace topograd
