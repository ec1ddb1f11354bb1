#include "kernels/activation/activation.h"

namespace topograd {

std::string_view name_of(Activation activation) {
  switch (activation) {
    case Activation::relu:
      return "relu";
    case Activation::tanh:
      return "tanh";
    case Activation::gelu:
      return "gelu";
  }
  return "?";
}

Activation activation_named(std::string_view name) {
  for (Activation a : {Activation::relu, Activation::tanh, Activation::gelu})
    if (name == name_of(a)) return a;
  fail("unknown activation '", name, "': choose relu, tanh or gelu");
}

void ActivationForwardArgs::check() const {
  require(x.shape() == y.shape() && x.dtype() == y.dtype(), kOp, ": x ", x.shape(), " and y ",
          y.shape(), " differ");
}

void ActivationBackwardArgs::check() const {
  const Tensor& source = activation == Activation::gelu ? x : y;
  require(source.defined(), kOp, ": ", name_of(activation), " needs its ",
          activation == Activation::gelu ? "input" : "output");
  require(dx.shape() == dy.shape() && dx.shape() == source.shape(), kOp, ": dx ", dx.shape(),
          ", dy ", dy.shape(), " and the saved tensor ", source.shape(), " differ");
}

void ActivationCurvatureArgs::check() const {
  for (const Tensor* t : {&dy, &saved, &saved_tangent})
    require(t->shape() == dx_tangent.shape() && t->dtype() == dx_tangent.dtype(), kOp, ": tensors ",
            t->shape(), " and ", dx_tangent.shape(), " differ");
}

}  // namespace topograd
