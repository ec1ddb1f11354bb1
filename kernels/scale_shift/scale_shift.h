// BatchNorm in inference where no convolution can take it in: DenseNet's comes before one.
#pragma once

#include "kernels/core/op.h"

namespace topograd {

/// y[p, ..., c] = max(scale[p, c] * x[p, ..., first + c] + shift[p, c], 0) for P networks at once;
/// without `relu` the maximum is left out. NaN stays NaN. y may be x itself where that has no other
/// channels.
struct ScaleShiftArgs {
  static constexpr std::string_view kOp = "scale_shift";
  Tensor y;            ///< [P * N, ..., C]
  Tensor x;            ///< [P * N, ..., Cx], or [N, ..., Cx]: the same images for every network
  Tensor scale;        ///< [P * C]
  Tensor shift;        ///< [P * C]
  int64_t first = 0;   ///< first channel of x that is read
  int64_t points = 1;  ///< P
  bool relu = false;

  int64_t channels() const { return y.dim(y.shape().rank() - 1); }    ///< C
  int64_t x_channels() const { return x.dim(x.shape().rank() - 1); }  ///< Cx
  bool shares_x() const { return x.dim(0) != y.dim(0); }
  void check() const;
};
inline void scale_shift(const ScaleShiftArgs& args, Context& context) {
  run_op(args, context);
}

}  // namespace topograd
