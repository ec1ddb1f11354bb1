// Layer normalisation under Pearlmutter's R-operator (B. Pearlmutter, "Fast Exact Multiplication by
// the Hessian", Neural Computation 1994): how y and the gradients move when x, gamma and beta do. A
// dotted letter is the tangent of that letter, its derivative along one direction.
//
// With the letters of layer_norm.h, and for one row a = mean of x', b = mean of x' xhat:
//   xhat' = i (x' - a - xhat b),   i' = -i^2 b
// The first is the form of layer_norm_backward: the Jacobian of xhat is symmetric.
#pragma once

#include "kernels/core/op.h"

namespace topograd {

/// y' = gamma xhat' + gamma' xhat + beta'. y' may be x' itself.
struct LayerNormTangentArgs {
  static constexpr std::string_view kOp = "layer_norm_tangent";
  Tensor y_tangent;                    ///< [..., C]
  Tensor x_tangent, x;                 ///< [..., C] each, C > 0
  Tensor gamma;                        ///< [C], or undefined: 1
  Tensor gamma_tangent, beta_tangent;  ///< [C] each, or undefined: 0
  double epsilon = 1e-6;
  void check() const;
};
inline void layer_norm_tangent(const LayerNormTangentArgs& args, Context& context) {
  run_op(args, context);
}

/// The tangent of dx = i (g - m - xhat q), with g = gamma dy, m = mean of g, q = mean of g xhat:
///   dx' = i (g' - m' - xhat' q - xhat q') - i b dx,
///   g' = gamma' dy + gamma dy',   m' = mean of g',   q' = mean of g' xhat + g xhat'.
/// dx' may be dy' itself.
struct LayerNormTangentBackwardArgs {
  static constexpr std::string_view kOp = "layer_norm_tangent_backward";
  Tensor dx_tangent;            ///< [..., C]
  Tensor dy_tangent, dy;        ///< [..., C] each
  Tensor x_tangent, x;          ///< [..., C] each
  Tensor gamma, gamma_tangent;  ///< [C] each, or undefined: 1, and 0
  double epsilon = 1e-6;
  Write write = Write::overwrite;
  void check() const;
};
inline void layer_norm_tangent_backward(const LayerNormTangentBackwardArgs& args,
                                        Context& context) {
  run_op(args, context);
}

/// The tangents of dgamma and dbeta:
///   dgamma' = sum of dy' xhat + dy xhat',   dbeta' = sum of dy',   over the rows.
struct LayerNormTangentSumsArgs {
  static constexpr std::string_view kOp = "layer_norm_tangent_sums";
  Tensor dgamma_tangent, dbeta_tangent;  ///< [C] each
  Tensor dy_tangent, dy;                 ///< [..., C] each
  Tensor x_tangent, x;                   ///< [..., C] each
  double epsilon = 1e-6;
  Write write = Write::overwrite;
  void check() const;
};
inline void layer_norm_tangent_sums(const LayerNormTangentSumsArgs& args, Context& context) {
  run_op(args, context);
}

}  // namespace topograd
