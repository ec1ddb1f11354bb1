// Normally distributed numbers, drawn where they are needed.
#pragma once

#include "kernels/core/op.h"
#include "kernels/core/philox.h"

namespace topograd {

/// y[i] = scale * random.normal(first + i), formed in double and rounded once. Element i depends on
/// its index alone (see kernels/core/philox.h): any device draws any part of a vector.
///
/// All CPU implementations give the same bits. A GPU's logarithm and cosine are not the CPU's to
/// the last bit of a double, which shows in about one float in 10^8: what must be the same to the
/// bit wherever it is drawn (initial weights, directions) is drawn on the CPU.
struct RandomNormalArgs {
  static constexpr std::string_view kOp = "random_normal";
  Tensor y;       ///< any shape
  Philox random;  ///< seed, stream and substream
  uint64_t first = 0;
  double scale = 1.0;
  void check() const;
};
inline void random_normal(const RandomNormalArgs& args, Context& context) {
  run_op(args, context);
}

}  // namespace topograd
