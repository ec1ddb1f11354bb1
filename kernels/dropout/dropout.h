// Dropout (N. Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from
// Overfitting", 2014), of elements, of an image's channels, or of whole images (stochastic depth:
// G. Huang et al., 2016).
#pragma once

#include "kernels/core/op.h"
#include "kernels/core/philox.h"

namespace topograd {

/// What is kept or dropped as a whole.
enum class DropoutUnit { element, channel, image };

/// y = m x, where a unit's m is 1 / keep with probability keep, and 0 otherwise. Whether unit u of
/// the tensor is kept is a function of `random` and first + u alone: its 32-bit word of that number,
/// four of which Philox gives at a time, lies below keep 2^32. So the mask is never stored, and the
/// gradient, dx = m dy, is the same operation.
struct DropoutArgs {
  static constexpr std::string_view kOp = "dropout";
  Tensor y;  ///< x's shape; may be x
  Tensor x;  ///< [N, ..., C]
  DropoutUnit unit = DropoutUnit::element;
  Philox random;       ///< seed, stream and substream
  uint64_t first = 0;  ///< number of the tensor's first unit
  double keep = 0.5;   ///< in [0, 1]
  Write write = Write::overwrite;
  void check() const;
};
inline void dropout(const DropoutArgs& args, Context& context) {
  run_op(args, context);
}

/// Returns how many units one image [..., C] has.
int64_t dropout_units(DropoutUnit unit, const Shape& image);

}  // namespace topograd
