// Sums of activations: the residual addition, the bias and the bias's gradient.
#pragma once

#include "kernels/core/op.h"

namespace topograd {

/// y = a + b, elementwise; y may be a or b.
struct AddArgs {
  static constexpr std::string_view kOp = "add";
  Tensor y;  ///< any shape
  Tensor a;  ///< the same shape
  Tensor b;  ///< the same shape
  void check() const;
};
inline void add(const AddArgs& args, Context& context) {
  run_op(args, context);
}

/// y[..., c] += bias[c], in place.
struct AddBiasArgs {
  static constexpr std::string_view kOp = "add_bias";
  Tensor y;     ///< [rows..., C]
  Tensor bias;  ///< [C]
  void check() const;
};
inline void add_bias(const AddBiasArgs& args, Context& context) {
  run_op(args, context);
}

/// db[c] = sum of dy[..., c] over all rows, in double, in an order that depends on the shape alone.
struct BiasGradientArgs {
  static constexpr std::string_view kOp = "bias_gradient";
  Tensor db;  ///< [C]
  Tensor dy;  ///< [rows..., C]
  Write write = Write::overwrite;
  void check() const;
};
inline void bias_gradient(const BiasGradientArgs& args, Context& context) {
  run_op(args, context);
}

}  // namespace topograd
