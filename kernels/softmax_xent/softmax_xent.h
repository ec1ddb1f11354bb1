// Losses on logits: cross-entropy and the squared error of the softmax.
#pragma once

#include "kernels/core/op.h"

namespace topograd {

/// With p = softmax(logits of one image) and t its one-hot label:
///   cross_entropy  -log p[label]
///   mse            the mean over classes of (p - t)^2
enum class LossKind { cross_entropy, mse };
std::string_view name_of(LossKind kind);
/// "cross_entropy" or "mse"; anything else is an Error that lists them.
LossKind loss_named(std::string_view name);

/// The loss of every image, and whether its largest logit is its label's. Formed in double from
/// logits minus their maximum, rounded once: neither overflow nor log(0) at any finite logits.
struct LossForwardArgs {
  static constexpr std::string_view kOp = "loss_forward";
  Tensor losses;     ///< [N], the logits' type
  Tensor correct{};  ///< [N] i32, 0 or 1; may be undefined. Of equal maxima the first counts;
                     ///< an image with a NaN logit is never correct.
  Tensor logits;     ///< [N, C]
  Tensor labels;     ///< [N] i32 in [0, C)
  LossKind kind = LossKind::cross_entropy;
  void check() const;
};
inline void loss_forward(const LossForwardArgs& args, Context& context) {
  run_op(args, context);
}

/// dlogits = scale * d(sum of the images' losses) / dlogits; scale = 1/N for the mean loss.
struct LossBackwardArgs {
  static constexpr std::string_view kOp = "loss_backward";
  Tensor dlogits;  ///< [N, C]; may be the logits themselves
  Tensor logits;   ///< [N, C]
  Tensor labels;   ///< [N] i32 in [0, C)
  LossKind kind = LossKind::cross_entropy;
  double scale = 1.0;
  void check() const;
};
inline void loss_backward(const LossBackwardArgs& args, Context& context) {
  run_op(args, context);
}

}  // namespace topograd
