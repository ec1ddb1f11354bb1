// The parameter-free shortcut of residual networks, "option A" of He et al., "Deep Residual
// Learning for Image Recognition", CVPR 2016: where a block changes the shape, its shortcut takes
// every stride-th pixel and pads the new channels with zeros, half of them before and half after
// (an odd one after), as the usual CIFAR implementations do.
#pragma once

#include "kernels/core/op.h"

namespace topograd {

/// y[n, h, w, pad + c] = x[n, h * stride, w * stride, c], all other channels 0, where
/// pad = (Cout - Cin) / 2.
struct ShortcutAForwardArgs {
  static constexpr std::string_view kOp = "shortcut_a_forward";
  Tensor y;  ///< [N, ceil(H / stride), ceil(W / stride), Cout], Cout >= Cin
  Tensor x;  ///< [N, H, W, Cin]
  int stride = 1;
  void check() const;
};
inline void shortcut_a_forward(const ShortcutAForwardArgs& args, Context& context) {
  run_op(args, context);
}

/// The transpose: dx takes dy's middle channels at the pixels that were kept, 0 elsewhere.
struct ShortcutABackwardArgs {
  static constexpr std::string_view kOp = "shortcut_a_backward";
  Tensor dx;  ///< [N, H, W, Cin]
  Tensor dy;  ///< [N, ceil(H / stride), ceil(W / stride), Cout]
  int stride = 1;
  Write write = Write::overwrite;
  void check() const;
};
inline void shortcut_a_backward(const ShortcutABackwardArgs& args, Context& context) {
  run_op(args, context);
}

}  // namespace topograd
