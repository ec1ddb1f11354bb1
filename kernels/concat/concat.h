// Concatenation along channels: DenseNet's join.
#pragma once

#include "kernels/core/op.h"

namespace topograd {

/// y[..., 0:Ca] = a, y[..., Ca:Ca+Cb] = b.
struct ConcatArgs {
  static constexpr std::string_view kOp = "concat";
  Tensor y;  ///< [N, H, W, Ca + Cb]
  Tensor a;  ///< [N, H, W, Ca]
  Tensor b;  ///< [N, H, W, Cb]
  void check() const;
};
inline void concat(const ConcatArgs& args, Context& context) {
  run_op(args, context);
}

/// da = dy[..., 0:Ca], db = dy[..., Ca:Ca+Cb]. An undefined one is skipped; its channels are those
/// the other leaves.
struct ConcatBackwardArgs {
  static constexpr std::string_view kOp = "concat_backward";
  Tensor da{};  ///< [N, H, W, Ca], or undefined
  Tensor db{};  ///< [N, H, W, Cb], or undefined
  Tensor dy;    ///< [N, H, W, Ca + Cb]
  Write write_a = Write::overwrite;
  Write write_b = Write::overwrite;
  void check() const;
};
inline void concat_backward(const ConcatBackwardArgs& args, Context& context) {
  run_op(args, context);
}

}  // namespace topograd
