// The losses of images, their gradients and products with their Hessians in the outputs.
#pragma once

#include "kernels/core/op.h"
#include "kernels/loss/loss_function.h"

namespace topograd {

/// The loss of every image, and whether the answer is right. Formed in double, of a softmax from
/// logits minus their maximum, rounded once: neither overflow nor log(0) at any finite logits.
/// P networks that saw the same N images are one call. Labels that lie on the CPU are checked; on a
/// device, where that would cost a round trip, a label that is no class makes the loss NaN, and the
/// image is not correct.
struct LossForwardArgs {
  static constexpr std::string_view kOp = "loss_forward";
  Tensor losses;  ///< [N] or [P, N], the logits' type
  /// Like losses, i32, 0 or 1; may be undefined. Of a class, whether its logit is the largest, of
  /// equal ones the first; of probabilities, whether it is that of the largest of these; for bce
  /// and focal with numbers t, whether every z > 0 where t > 1/2 alone. Where numbers are to be come
  /// close to (tells_right_from_wrong()), -1. An image with a NaN logit is never correct.
  Tensor correct{};
  Tensor logits;  ///< [N, C] or [P, N, C]
  Tensor labels;  ///< [N] i32 in [0, C), or numbers f32 [N, C]; the same for every p
  Loss loss{};    ///< its weights on the logits' device
  void check() const;
};
inline void loss_forward(const LossForwardArgs& args, Context& context) {
  run_op(args, context);
}

/// dlogits = scale * d(sum of the images' losses) / dlogits; scale = 1/N for the mean loss. On a
/// device, a label that is no class makes its image's dlogits NaN.
struct LossBackwardArgs {
  static constexpr std::string_view kOp = "loss_backward";
  Tensor dlogits;  ///< [N, C]; may be the logits themselves
  Tensor logits;   ///< [N, C]
  Tensor labels;   ///< as of LossForwardArgs
  Loss loss{};     ///< its weights on the logits' device
  double scale = 1.0;
  void check() const;
};
inline void loss_backward(const LossBackwardArgs& args, Context& context) {
  run_op(args, context);
}

/// Product with H, the Hessian of an image's loss in its outputs, for Hessian-vector products:
///   product = scale * H z'.
/// `gauss_newton` keeps the part that is never negative: H itself where the loss is convex in the
/// outputs; of mse, with J v = p * v - p (p . v), the part J (2 J z' / C); of focal, f(l) with l the
/// cross-entropy, the part f'(l) times that one's Hessian. Losses made of straight pieces have H = 0
/// wherever it is defined.
struct LossCurvatureArgs {
  static constexpr std::string_view kOp = "loss_curvature";
  Tensor product;         ///< [N, C]; may be the tangent itself
  Tensor logits_tangent;  ///< [N, C]
  Tensor logits;          ///< [N, C]
  Tensor labels;          ///< as of LossForwardArgs
  Loss loss{};            ///< its weights on the logits' device
  bool gauss_newton = false;
  double scale = 1.0;
  void check() const;
};
inline void loss_curvature(const LossCurvatureArgs& args, Context& context) {
  run_op(args, context);
}

/// Sums of the images' losses at P points of the landscape:
///   sums[p] (+)= {sum of losses, sum of their squares, number correct},
/// in double, in an order that depends on N alone (loss_order.h): for f32, every implementation
/// gives the same bits.
struct LossSumsArgs {
  static constexpr std::string_view kOp = "loss_sums";
  Tensor sums;     ///< f64 [P, 3]
  Tensor losses;   ///< [P, N]
  Tensor correct;  ///< [P, N] i32
  Write write = Write::overwrite;
  void check() const;
};
inline void loss_sums(const LossSumsArgs& args, Context& context) {
  run_op(args, context);
}

}  // namespace topograd
