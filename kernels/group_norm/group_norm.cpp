#include "kernels/group_norm/group_norm.h"

#include <initializer_list>

#include "kernels/group_norm/group_norm_tangent.h"

namespace topograd {

namespace {

/// Throws Error unless the tensors are like x, the vectors [C], and the optional ones either that
/// or all undefined.
template <class Args>
void check_groups(const Args& args, std::initializer_list<const Tensor*> like_x,
                  std::initializer_list<const Tensor*> optional,
                  std::initializer_list<const Tensor*> per_channel = {}) {
  const Tensor& x = args.x;
  require(x.shape().rank() >= 2, Args::kOp, ": x is ", x.shape(), ", expected [N,...,C]");
  const int64_t C = x.dim(x.shape().rank() - 1);
  require(C > 0 && GroupExtents(x, 1).pixels > 0, Args::kOp, ": x is ", x.shape(),
          ", of which an image has no elements");
  require(args.groups >= 1 && C % args.groups == 0, Args::kOp, ": ", C, " channels do not make ",
          args.groups, " groups");
  require(args.epsilon > 0, Args::kOp, ": epsilon must be above 0, got ", args.epsilon);
  for (const Tensor* t : like_x)
    require(t->shape() == x.shape() && t->dtype() == x.dtype(), Args::kOp, ": ", t->shape(), " of ",
            name_of(t->dtype()), " beside x, ", x.shape(), " of ", name_of(x.dtype()));
  const auto check_vector = [&](const Tensor& t) {
    require(t.shape() == Shape{C} && t.dtype() == x.dtype(), Args::kOp, ": ", t.shape(), " of ",
            name_of(t.dtype()), " for the ", C, " channels of x, of ", name_of(x.dtype()));
  };
  for (const Tensor* t : per_channel) check_vector(*t);
  for (const Tensor* t : optional) {
    require(t->defined() == (*optional.begin())->defined(), Args::kOp,
            ": some of the parameters are there, and some are not");
    if (t->defined()) check_vector(*t);
  }
}

}  // namespace

void GroupNormArgs::check() const {
  check_groups(*this, {&y}, {&gamma, &beta});
}

void GroupNormBackwardArgs::check() const {
  check_groups(*this, {&dx, &dy}, {&gamma});
}

void GroupNormBackwardSumsArgs::check() const {
  check_groups(*this, {&dy}, {}, {&dgamma, &dbeta});
}

void GroupNormTangentArgs::check() const {
  check_groups(*this, {&y_tangent, &x_tangent}, {&gamma, &gamma_tangent, &beta_tangent});
}

void GroupNormTangentBackwardArgs::check() const {
  check_groups(*this, {&dx_tangent, &dy_tangent, &dy, &x_tangent}, {&gamma, &gamma_tangent});
}

void GroupNormTangentSumsArgs::check() const {
  check_groups(*this, {&dy_tangent, &dy, &x_tangent}, {}, {&dgamma_tangent, &dbeta_tangent});
}

}  // namespace topograd
