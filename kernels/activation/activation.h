// Elementwise activations. Formulas, and slopes at the kinks, are PyTorch's.
#pragma once

#include <vector>

#include "kernels/core/op.h"

namespace topograd {

/// One activation with its parameters: Activation::relu, Activation::leaky_relu(0.1).
struct Activation {
  enum class Kind {
    relu,         ///< max(x, 0)
    tanh,         ///< tanh(x)
    gelu,         ///< x Phi(x), Phi the normal distribution function: Hendrycks & Gimpel, 2016
    leaky_relu,   ///< x where x > 0, else slope x
    relu6,        ///< min(max(x, 0), 6)
    silu,         ///< x / (1 + exp(-x)), also called swish
    sigmoid,      ///< 1 / (1 + exp(-x))
    hardswish,    ///< x relu6(x + 3) / 6
    hardsigmoid,  ///< relu6(x + 3) / 6
    softplus,     ///< log(1 + exp(beta x)) / beta, or x where beta x > threshold
    elu,          ///< x where x > 0, else alpha (exp(x) - 1)
    gelu_tanh,    ///< x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2
    exp,          ///< exp(x)
    log,          ///< the natural logarithm; NaN below 0
    power,        ///< x^exponent: 1 / x, roots; NaN below 0 where the exponent is no integer
  };
  Kind kind = Kind::relu;
  double slope = 0.01;    ///< leaky_relu
  double alpha = 1;       ///< elu
  double beta = 1;        ///< softplus; not 0
  double threshold = 20;  ///< softplus
  double exponent = 2;    ///< power

  static const Activation relu, tanh, gelu, relu6, silu, sigmoid, hardswish, hardsigmoid, gelu_tanh,
      exp, log;
  static constexpr Activation leaky_relu(double slope = 0.01);
  static constexpr Activation elu(double alpha = 1);
  static constexpr Activation softplus(double beta = 1, double threshold = 20);
  static constexpr Activation power(double exponent);

  friend bool operator==(const Activation&, const Activation&) = default;

  /// Whether f' is a function of the output y, so that the input need not be kept.
  constexpr bool differentiates_output() const {
    return kind == Kind::relu || kind == Kind::tanh || kind == Kind::sigmoid ||
           kind == Kind::relu6 || kind == Kind::exp || (kind == Kind::leaky_relu && slope >= 0);
  }
  /// Whether f is linear piece by piece: f'' is 0 wherever it exists.
  constexpr bool is_piecewise_linear() const {
    return kind == Kind::relu || kind == Kind::leaky_relu || kind == Kind::relu6 ||
           kind == Kind::hardsigmoid;
  }
  /// Whether f(s x) = s f(x) for all s > 0.
  constexpr bool is_positively_homogeneous() const {
    return kind == Kind::relu || kind == Kind::leaky_relu;
  }
};

inline constexpr Activation Activation::relu{.kind = Kind::relu};
inline constexpr Activation Activation::tanh{.kind = Kind::tanh};
inline constexpr Activation Activation::gelu{.kind = Kind::gelu};
inline constexpr Activation Activation::relu6{.kind = Kind::relu6};
inline constexpr Activation Activation::silu{.kind = Kind::silu};
inline constexpr Activation Activation::sigmoid{.kind = Kind::sigmoid};
inline constexpr Activation Activation::hardswish{.kind = Kind::hardswish};
inline constexpr Activation Activation::hardsigmoid{.kind = Kind::hardsigmoid};
inline constexpr Activation Activation::gelu_tanh{.kind = Kind::gelu_tanh};
inline constexpr Activation Activation::exp{.kind = Kind::exp};
inline constexpr Activation Activation::log{.kind = Kind::log};
constexpr Activation Activation::leaky_relu(double slope) {
  return {.kind = Kind::leaky_relu, .slope = slope};
}
constexpr Activation Activation::elu(double alpha) {
  return {.kind = Kind::elu, .alpha = alpha};
}
constexpr Activation Activation::softplus(double beta, double threshold) {
  return {.kind = Kind::softplus, .beta = beta, .threshold = threshold};
}
constexpr Activation Activation::power(double exponent) {
  return {.kind = Kind::power, .exponent = exponent};
}

/// Returns the name of the activation's kind: "leaky_relu".
std::string_view name_of(const Activation& activation);
/// Returns all kinds' names.
const std::vector<std::string>& activation_names();
/// Returns the activation of this name, its parameters those that PyTorch's modules have by
/// themselves. Throws Error that lists the names for any other.
Activation activation_named(std::string_view name);

/// y = f(x), elementwise; y may be x itself. NaN stays NaN.
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

/// dx = dy * f'(x). What f' is taken from is y where differentiates_output() says so, else x; the
/// one not needed may be left undefined. At their kinks, ReLU's slope is 0, relu6's at 0 and 6 and
/// hardsigmoid's at -3 and 3 too, leaky_relu's is `slope`, hardswish's -1/2 at -3 and 1 at 3. Where
/// ReLU's slope is 0 so is the product, whatever dy is. dx may be dy itself.
struct ActivationBackwardArgs {
  static constexpr std::string_view kOp = "activation_backward";
  Tensor dx;
  Tensor dy;
  Tensor y;
  Tensor x;
  Activation activation = Activation::relu;
  Write write = Write::overwrite;
  /// Returns the one of y and x that f' is taken from.
  const Tensor& saved() const { return activation.differentiates_output() ? y : x; }
  void check() const;
};
inline void activation_backward(const ActivationBackwardArgs& args, Context& context) {
  run_op(args, context);
}

/// Term that the change of the slope adds to the tangent of dx = dy f'(x), for Hessian-vector
/// products:
///   dx' += dy f''(x) x'.
/// Where f' is taken from the output, f''(x) x' = (df'/dy) y': -2 y y' for tanh, (1 - 2 y) y' for
/// sigmoid, y' for exp. Of a function that is linear piece by piece it is 0: nothing is done.
struct ActivationCurvatureArgs {
  static constexpr std::string_view kOp = "activation_curvature";
  Tensor dx_tangent;     ///< added to
  Tensor dy;             ///< the same shape
  Tensor saved;          ///< y or x, as in the backward pass
  Tensor saved_tangent;  ///< y' or x'
  Activation activation = Activation::tanh;
  void check() const;
};
inline void activation_curvature(const ActivationCurvatureArgs& args, Context& context) {
  run_op(args, context);
}

}  // namespace topograd
