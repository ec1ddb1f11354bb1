// Stochastic gradient descent with momentum.
#pragma once

#include "kernels/core/op.h"

namespace topograd {

/// One step, in one pass over memory, with PyTorch's semantics (Sutskever et al., "On the
/// importance of initialization and momentum in deep learning", ICML 2013, with the learning rate
/// outside the buffer):
///   g = gradient + weight_decay * theta, without the second term where decay_mask is 0
///   buffer = first_step ? g : momentum * buffer + g
///   theta -= learning_rate * (nesterov ? g + momentum * buffer : buffer)
/// momentum = 0 is plain descent along g: the buffer is unused and may be undefined.
struct SgdArgs {
  static constexpr std::string_view kOp = "sgd";
  Tensor theta;              ///< flat, updated in place
  Tensor momentum_buffer{};  ///< like theta, updated in place; not read when first_step
  Tensor gradient;           ///< like theta
  Tensor decay_mask{};       ///< like theta: elements where it is 0 do not decay; undefined: all do
  double learning_rate = 0.0;
  double momentum = 0.0;  ///< at least 0; above 0 where nesterov
  double weight_decay = 0.0;
  bool nesterov = false;
  bool first_step = false;
  void check() const;
};
inline void sgd(const SgdArgs& args, Context& context) {
  run_op(args, context);
}

}  // namespace topograd
