// Losses on logits: cross-entropy and the squared error of the softmax.
#pragma once

#include "kernels/core/op.h"

namespace topograd {

/// A loss on the logits of one image. With p = softmax(logits) and t the one-hot label:
///   cross_entropy  -log p[label]; with label smoothing s, which puts q = (1 - s) t + s / C in
///                  place of t (Szegedy et al., "Rethinking the Inception Architecture for
///                  Computer Vision", CVPR 2016), -sum of q log p, as PyTorch's CrossEntropyLoss
///   mse            the mean over classes of (p - t)^2
enum class LossKind { cross_entropy, mse };
std::string_view name_of(LossKind kind);
/// Returns the loss of this name, "cross_entropy" or "mse". Throws Error that lists them for any
/// other.
LossKind loss_named(std::string_view name);

/// The loss of every image, and whether its largest logit is its label's. Formed in double from
/// logits minus their maximum, rounded once: neither overflow nor log(0) at any finite logits.
/// P networks that saw the same N images are one call. Labels that lie on the CPU are checked; on a
/// device, where that would cost a round trip, a label that is no class makes the loss NaN, and the
/// image is not correct.
struct LossForwardArgs {
  static constexpr std::string_view kOp = "loss_forward";
  Tensor losses;     ///< [N] or [P, N], the logits' type
  Tensor correct{};  ///< like losses, i32, 0 or 1; may be undefined. The first of equal maxima
                     ///< counts; an image with a NaN logit is never correct.
  Tensor logits;     ///< [N, C] or [P, N, C]
  Tensor labels;     ///< [N] i32 in [0, C), the same for every p
  LossKind kind = LossKind::cross_entropy;
  double label_smoothing = 0.0;  ///< in [0, 1]; 0 for mse
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
  Tensor labels;   ///< [N] i32 in [0, C)
  LossKind kind = LossKind::cross_entropy;
  double label_smoothing = 0.0;  ///< in [0, 1]; 0 for mse
  double scale = 1.0;
  void check() const;
};
inline void loss_backward(const LossBackwardArgs& args, Context& context) {
  run_op(args, context);
}

/// Product with H, the Hessian of an image's loss in its logits, for Hessian-vector products:
///   product = scale * H z'.
/// With p' = p * z' - p (p . z'): cross_entropy p', whatever the target. mse, with e = 2 (p - t) /
/// C: J (2 p' / C) + p' * e - p' (p . e) - p (p' . e), where J v = p * v - p (p . v); of it
/// `gauss_newton` keeps the first term, the part that is never negative.
struct LossCurvatureArgs {
  static constexpr std::string_view kOp = "loss_curvature";
  Tensor product;         ///< [N, C]; may be the tangent itself
  Tensor logits_tangent;  ///< [N, C]
  Tensor logits;          ///< [N, C]
  Tensor labels;          ///< [N] i32 in [0, C)
  LossKind kind = LossKind::cross_entropy;
  bool gauss_newton = false;
  double scale = 1.0;
  void check() const;
};
inline void loss_curvature(const LossCurvatureArgs& args, Context& context) {
  run_op(args, context);
}

/// The smoothed target q of one image: q[label] = label, q[c] = other for every other class.
/// Without smoothing exactly the one-hot 1 and 0.
struct SmoothedTarget {
  SmoothedTarget(double smoothing, int64_t classes)
      : other(smoothing / static_cast<double>(classes)), label(1 - smoothing + other) {}
  double other;
  double label;
};

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
