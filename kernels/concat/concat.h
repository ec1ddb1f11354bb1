// Concatenation along channels: DenseNet's join, one part at a time.
#pragma once

#include "kernels/core/op.h"

namespace topograd {

/// y[..., first : first + Cp] = part. The other channels of y stay: a concatenation is one of these
/// per part, and none for a part that was made where it belongs.
struct ConcatArgs {
  static constexpr std::string_view kOp = "concat";
  Tensor y;     ///< [N, H, W, C]
  Tensor part;  ///< [N, H, W, Cp]
  int64_t first = 0;
  void check() const;
};
inline void concat(const ConcatArgs& args, Context& context) {
  run_op(args, context);
}

/// dpart = dy[..., first : first + Cp].
struct ConcatBackwardArgs {
  static constexpr std::string_view kOp = "concat_backward";
  Tensor dpart;  ///< [N, H, W, Cp]
  Tensor dy;     ///< [N, H, W, C]
  int64_t first = 0;
  Write write = Write::overwrite;
  void check() const;
};
inline void concat_backward(const ConcatBackwardArgs& args, Context& context) {
  run_op(args, context);
}

}  // namespace topograd
