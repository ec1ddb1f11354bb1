// Batch normalisation under Pearlmutter's R-operator (B. Pearlmutter, "Fast Exact Multiplication by
// the Hessian", Neural Computation 1994): how y and the gradients move when x, gamma and beta do.
// A dotted letter is the tangent of that letter, R{.}, the derivative along one direction.
//
// With i = 1 / sqrt(variance + epsilon), xhat = (x - mean) i, and n elements per channel:
//   batch statistics    xhat' = i (x' - a - xhat b),   a = sum of x' / n,  b = sum of x' xhat / n:
//                       the form of batchnorm_backward, as the Jacobian of xhat is symmetric
//   constant statistics xhat' = i x'
// The two sums of x' are those of batchnorm_backward_sums with x' for dy, over the whole batch.
// Where they are left undefined the statistics are constants.
//
// C channels; all other tensors are [..., C]; "count" is n. Sums over a batch are added up from its
// chunks', as in batchnorm.h.
#pragma once

#include "kernels/core/op.h"

namespace topograd {

/// Statistics that xhat' depends on, beside x and x'.
struct BatchnormTangentState {
  Tensor mean, variance;  ///< [C] each, as in the forward pass
  Tensor sum_products{};  ///< [C]: sum of x' xhat over the batch; undefined: constant statistics
  Tensor sum_tangents{};  ///< [C]: sum of x' over the batch; undefined: constant statistics
  int64_t count = 0;      ///< elements per channel of the batch; unused for constant statistics
  double epsilon = 1e-5;

  bool is_batch() const { return sum_products.defined(); }
  void check(std::string_view op, int64_t channels) const;
};

/// y' = gamma xhat' + gamma' xhat + beta'. y' may be x' itself.
struct BatchnormTangentArgs {
  static constexpr std::string_view kOp = "batchnorm_tangent";
  Tensor y_tangent;                    ///< [..., C]
  Tensor x_tangent, x;                 ///< [..., C] each
  Tensor gamma;                        ///< [C], or undefined: 1
  Tensor gamma_tangent, beta_tangent;  ///< [C] each, or undefined: 0
  BatchnormTangentState state;
  void check() const;
};
inline void batchnorm_tangent(const BatchnormTangentArgs& args, Context& context) {
  run_op(args, context);
}

/// The tangents of dgamma = sum of dy xhat and dbeta = sum of dy over the elements of this chunk:
///   dgamma' = sum of dy' xhat + dy xhat',   dbeta' = sum of dy'.
struct BatchnormTangentSumsArgs {
  static constexpr std::string_view kOp = "batchnorm_tangent_sums";
  Tensor dgamma_tangent, dbeta_tangent;  ///< [C] each
  Tensor dy_tangent, dy;                 ///< [..., C] each
  Tensor x_tangent, x;                   ///< [..., C] each
  BatchnormTangentState state;
  void check() const;
};
inline void batchnorm_tangent_sums(const BatchnormTangentSumsArgs& args, Context& context) {
  run_op(args, context);
}

/// The tangent of batchnorm_backward's dx = gamma i (dy - dbeta / n - xhat dgamma / n):
///   dx' = gamma i (dy' - (dbeta' + xhat dgamma' + xhat' dgamma) / n)
///       + (gamma' - gamma i b) i (dy - (dbeta + xhat dgamma) / n)
/// with all sums those of the whole batch. Constant statistics: dx' = i (gamma dy' + gamma' dy),
/// and neither x, x' nor a sum is read. dx' may be dy' itself.
struct BatchnormTangentBackwardArgs {
  static constexpr std::string_view kOp = "batchnorm_tangent_backward";
  Tensor dx_tangent;                         ///< [..., C]
  Tensor dy_tangent, dy;                     ///< [..., C] each
  Tensor x_tangent, x;                       ///< [..., C] each
  Tensor gamma, gamma_tangent;               ///< [C] each, or undefined: 1, and 0
  Tensor dgamma{}, dbeta{};                  ///< [C] each; undefined: constant statistics
  Tensor dgamma_tangent{}, dbeta_tangent{};  ///< [C] each; undefined: constant statistics
  BatchnormTangentState state;
  Write write = Write::overwrite;
  void check() const;
};
inline void batchnorm_tangent_backward(const BatchnormTangentBackwardArgs& args, Context& context) {
  run_op(args, context);
}

}  // namespace topograd
