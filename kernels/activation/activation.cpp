#include "kernels/activation/activation.h"

#include <cmath>

namespace topograd {

namespace {

/// Throws Error where a parameter makes no sense.
void check_parameters(std::string_view op, const Activation& activation) {
  require(activation.kind != Activation::Kind::softplus || activation.beta != 0, op,
          ": softplus divides by beta, which is 0");
  for (double parameter : {activation.slope, activation.alpha, activation.beta,
                           activation.threshold, activation.exponent})
    require(!std::isnan(parameter), op, ": a parameter of ", name_of(activation),
            " is not a number");
}

}  // namespace

const std::vector<std::string>& activation_names() {
  // In the order of Activation::Kind.
  static const std::vector<std::string> names = {
      "relu",        "tanh",     "gelu", "leaky_relu", "relu6", "silu", "sigmoid", "hardswish",
      "hardsigmoid", "softplus", "elu",  "gelu_tanh",  "exp",   "log",  "power"};
  return names;
}

std::string_view name_of(const Activation& activation) {
  return activation_names()[static_cast<size_t>(activation.kind)];
}

Activation activation_named(std::string_view name) {
  const std::vector<std::string>& names = activation_names();
  std::string choices;
  for (size_t i = 0; i < names.size(); ++i) {
    if (name == names[i]) return {.kind = static_cast<Activation::Kind>(i)};
    choices += (i == 0 ? "" : i + 1 < names.size() ? ", " : " or ") + names[i];
  }
  fail("unknown activation '", name, "': choose ", choices);
}

void ActivationForwardArgs::check() const {
  check_parameters(kOp, activation);
  require(x.shape() == y.shape() && x.dtype() == y.dtype(), kOp, ": x ", x.shape(), " and y ",
          y.shape(), " differ");
}

void ActivationBackwardArgs::check() const {
  check_parameters(kOp, activation);
  require(saved().defined(), kOp, ": ", name_of(activation), " needs its ",
          activation.differentiates_output() ? "output" : "input");
  require(dx.shape() == dy.shape() && dx.shape() == saved().shape(), kOp, ": dx ", dx.shape(),
          ", dy ", dy.shape(), " and the saved tensor ", saved().shape(), " differ");
}

void ActivationCurvatureArgs::check() const {
  check_parameters(kOp, activation);
  for (const Tensor* t : {&dy, &saved, &saved_tangent})
    require(t->shape() == dx_tangent.shape() && t->dtype() == dx_tangent.dtype(), kOp, ": tensors ",
            t->shape(), " and ", dx_tangent.shape(), " differ");
}

}  // namespace topograd
