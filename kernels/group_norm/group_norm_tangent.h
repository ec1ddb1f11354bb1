// Group normalisation under Pearlmutter's R-operator: how y and the gradients move when x, gamma
// and beta do. The formulas are those of layer_norm_tangent.h, with means over a group in place of
// means over a row. A dotted letter is the tangent of that letter.
#pragma once

#include "kernels/core/op.h"

namespace topograd {

/// y' = gamma xhat' + gamma' xhat + beta'. y' may be x' itself.
struct GroupNormTangentArgs {
  static constexpr std::string_view kOp = "group_norm_tangent";
  Tensor y_tangent;                    ///< [N, ..., C]
  Tensor x_tangent, x;                 ///< [N, ..., C] each, C > 0, at least one pixel
  Tensor gamma;                        ///< [C], or undefined: 1
  Tensor gamma_tangent, beta_tangent;  ///< [C] each, or undefined: 0
  int64_t groups = 1;
  double epsilon = 1e-5;
  void check() const;
};
inline void group_norm_tangent(const GroupNormTangentArgs& args, Context& context) {
  run_op(args, context);
}

/// The tangent of dx. dx' may be dy' itself.
struct GroupNormTangentBackwardArgs {
  static constexpr std::string_view kOp = "group_norm_tangent_backward";
  Tensor dx_tangent;            ///< [N, ..., C]
  Tensor dy_tangent, dy;        ///< [N, ..., C] each
  Tensor x_tangent, x;          ///< [N, ..., C] each
  Tensor gamma, gamma_tangent;  ///< [C] each, or undefined: 1, and 0
  int64_t groups = 1;
  double epsilon = 1e-5;
  Write write = Write::overwrite;
  void check() const;
};
inline void group_norm_tangent_backward(const GroupNormTangentBackwardArgs& args,
                                        Context& context) {
  run_op(args, context);
}

/// The tangents of dgamma and dbeta, over the images and their pixels:
///   dgamma' = sum of dy' xhat + dy xhat',   dbeta' = sum of dy'.
struct GroupNormTangentSumsArgs {
  static constexpr std::string_view kOp = "group_norm_tangent_sums";
  Tensor dgamma_tangent, dbeta_tangent;  ///< [C] each
  Tensor dy_tangent, dy;                 ///< [N, ..., C] each
  Tensor x_tangent, x;                   ///< [N, ..., C] each
  int64_t groups = 1;
  double epsilon = 1e-5;
  Write write = Write::overwrite;
  void check() const;
};
inline void group_norm_tangent_sums(const GroupNormTangentSumsArgs& args, Context& context) {
  run_op(args, context);
}

}  // namespace topograd
