// Adam and AdamW.
#pragma once

#include "kernels/core/op.h"

namespace topograd {

/// One step of Adam (Kingma & Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015), or of
/// AdamW where decoupled (Loshchilov & Hutter, "Decoupled Weight Decay Regularization", ICLR 2019),
/// with PyTorch's semantics, in one pass over memory:
///   decoupled ? theta *= 1 - learning_rate * weight_decay : gradient += weight_decay * theta,
///   neither where decay_mask is 0
///   m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2
///   theta -= learning_rate * (m / (1 - beta1^step)) / (sqrt(v / (1 - beta2^step)) + epsilon)
/// Before step 1, m and v are zero.
struct AdamArgs {
  static constexpr std::string_view kOp = "adam";
  Tensor theta;         ///< flat, updated in place
  Tensor m;             ///< like theta, updated in place: the mean of the gradient
  Tensor v;             ///< like theta, updated in place: the mean of its square
  Tensor gradient;      ///< like theta
  Tensor decay_mask{};  ///< like theta: elements where it is 0 do not decay; undefined: all do
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.0;
  bool decoupled = false;
  int64_t step = 1;  ///< counted from 1
  void check() const;
};
inline void adam(const AdamArgs& args, Context& context) {
  run_op(args, context);
}

}  // namespace topograd
