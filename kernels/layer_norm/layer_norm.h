// Layer normalisation (J. L. Ba et al., "Layer Normalization", 2016), over the channels of every
// pixel on its own, as in ConvNeXt and Transformers. For one row x of C channels:
//   mean = sum of x / C,   variance = sum of (x - mean)^2 / C,   i = 1 / sqrt(variance + epsilon)
//   xhat = (x - mean) i,   y = gamma xhat + beta
//
// Tensors are [..., C], "rows" are all axes but the last. (Over a whole image: [N, H W C], and
// gamma and beta are of an image's shape.) Nothing is kept from the forward pass:
// mean and variance of a row are computed again from x, which the backward pass reads anyway. Every
// implementation takes the variance from deviations, never as E[x^2] - mean^2, which loses
// everything when the mean is large.
#pragma once

#include "kernels/core/op.h"

namespace topograd {

/// y = gamma xhat + beta. y may be x itself. gamma and beta undefined: y = xhat.
struct LayerNormArgs {
  static constexpr std::string_view kOp = "layer_norm";
  Tensor y;            ///< [..., C]
  Tensor x;            ///< [..., C], C > 0
  Tensor gamma, beta;  ///< [C] each, or undefined
  double epsilon = 1e-6;
  void check() const;
};
inline void layer_norm(const LayerNormArgs& args, Context& context) {
  run_op(args, context);
}

/// With g = gamma dy:   dx = i (g - mean of g - xhat (mean of g xhat)), means over a row.
/// dx may be dy itself.
struct LayerNormBackwardArgs {
  static constexpr std::string_view kOp = "layer_norm_backward";
  Tensor dx;     ///< [..., C]
  Tensor dy, x;  ///< [..., C] each
  Tensor gamma;  ///< [C], or undefined: 1
  double epsilon = 1e-6;
  Write write = Write::overwrite;
  void check() const;
};
inline void layer_norm_backward(const LayerNormBackwardArgs& args, Context& context) {
  run_op(args, context);
}

/// dgamma = sum of dy xhat, dbeta = sum of dy, over the rows.
struct LayerNormBackwardSumsArgs {
  static constexpr std::string_view kOp = "layer_norm_backward_sums";
  Tensor dgamma, dbeta;  ///< [C] each
  Tensor dy, x;          ///< [..., C] each
  double epsilon = 1e-6;
  Write write = Write::overwrite;
  void check() const;
};
inline void layer_norm_backward_sums(const LayerNormBackwardSumsArgs& args, Context& context) {
  run_op(args, context);
}

}  // namespace topograd
