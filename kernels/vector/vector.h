// Operations on flat vectors: theta, gradients, directions.
#pragma once

#include "kernels/core/op.h"

namespace topograd {

/// y = x, element by element, in the order of the context's other operations; y may be x. (Tensors
/// copy themselves too, from any device to any other: Tensor::copy_from waits until it is done.)
struct CopyArgs {
  static constexpr std::string_view kOp = "copy";
  Tensor y;  ///< any type
  Tensor x;  ///< the same size and type
  void check() const;
};
inline void copy(const CopyArgs& args, Context& context) {
  run_op(args, context);
}

/// y += a x, as y + (a x) in double without a fused multiply-add, rounded once: every
/// implementation gives the same bits, on every processor. y may be x.
struct AxpyArgs {
  static constexpr std::string_view kOp = "axpy";
  Tensor y;  ///< any shape
  Tensor x;  ///< the same shape and type
  double a = 1.0;
  void check() const;
};
inline void axpy(const AxpyArgs& args, Context& context) {
  run_op(args, context);
}

/// y *= a, formed in double and rounded once: every implementation gives the same bits.
struct ScaleArgs {
  static constexpr std::string_view kOp = "scale";
  Tensor y;  ///< any shape
  double a = 1.0;
  void check() const;
};
inline void scale(const ScaleArgs& args, Context& context) {
  run_op(args, context);
}

/// result = sum of a[i] b[i], in double, in an order that depends on the length alone
/// (dot_order.h): for f32, every implementation gives the same bits, on every processor.
struct DotArgs {
  static constexpr std::string_view kOp = "dot";
  Tensor result;  ///< [1], f64
  Tensor a;       ///< any shape, f32 or f64
  Tensor b;       ///< the same shape and type
  void check() const;
};
inline void dot(const DotArgs& args, Context& context) {
  run_op(args, context);
}
/// Returns the dot product, fetched where a and b lie on a device.
double dot(const Tensor& a, const Tensor& b, Context& context);
/// Returns the Euclidean norm, sqrt(dot(a, a)).
double norm(const Tensor& a, Context& context);

/// y = sum of the rows of x, taken in row order, in double, rounded once: the same bits on every
/// processor. It reduces per-chunk gradients.
struct SumRowsArgs {
  static constexpr std::string_view kOp = "sum_rows";
  Tensor y;  ///< [n]
  Tensor x;  ///< [rows, n]; no rows give zeros
  Write write = Write::overwrite;
  void check() const;
};
inline void sum_rows(const SumRowsArgs& args, Context& context) {
  run_op(args, context);
}

}  // namespace topograd
