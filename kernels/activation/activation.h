// Elementwise activations: ReLU, tanh, GELU.
#pragma once

#include "kernels/core/op.h"

namespace topograd {

enum class Activation { relu, tanh, gelu };
std::string_view name_of(Activation activation);
/// Returns the activation of this name: "relu", "tanh" or "gelu". Throws Error that lists them for
/// any other.
Activation activation_named(std::string_view name);

/// y = f(x), elementwise; y may be x itself.
///   relu(x) = max(x, 0), NaN stays NaN;  gelu(x) = x * Phi(x), Phi the normal distribution
///   function (the exact form of Hendrycks & Gimpel, 2016, not the tanh approximation).
struct ActivationForwardArgs {
  static constexpr std::string_view kOp = "activation_forward";
  Tensor y;  ///< any shape
  Tensor x;  ///< the same shape
  Activation activation = Activation::relu;
  void check() const;
};
inline void activation_forward(const ActivationForwardArgs& args, Context& context) {
  run_op(args, context);
}

/// dx = dy * f'(x). ReLU and tanh take f' from the output y, so x need not be kept; GELU takes it
/// from x. The one not needed may be left undefined. ReLU's slope at 0 is 0, and where it is 0
/// so is the product, whatever dy is. dx may be dy itself.
struct ActivationBackwardArgs {
  static constexpr std::string_view kOp = "activation_backward";
  Tensor dx;
  Tensor dy;
  Tensor y;
  Tensor x;
  Activation activation = Activation::relu;
  Write write = Write::overwrite;
  void check() const;
};
inline void activation_backward(const ActivationBackwardArgs& args, Context& context) {
  run_op(args, context);
}

/// Term that the change of the slope adds to the tangent of dx = dy f'(x), for Hessian-vector
/// products:
///   dx' += dy f''(x) x'.
/// For tanh f''(x) x' = -2 y y', from the output and its tangent; for GELU
/// f''(x) = (2 - x^2) exp(-x^2 / 2) / sqrt(2 pi), from the input and its tangent. ReLU's is 0:
/// nothing is done.
struct ActivationCurvatureArgs {
  static constexpr std::string_view kOp = "activation_curvature";
  Tensor dx_tangent;     ///< added to
  Tensor dy;             ///< the same shape
  Tensor saved;          ///< y, or x for GELU
  Tensor saved_tangent;  ///< y', or x' for GELU
  Activation activation = Activation::tanh;
  void check() const;
};
inline void activation_curvature(const ActivationCurvatureArgs& args, Context& context) {
  run_op(args, context);
}

}  // namespace topograd
