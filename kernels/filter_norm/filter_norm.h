// Norms of the filters of a flat vector, the measure of filter normalisation: Li et al.,
// "Visualizing the Loss Landscape of Neural Nets", NeurIPS 2018, section 4.
#pragma once

#include "kernels/core/op.h"

namespace topograd {

/// Elements [offset, offset + length) of a flat vector: one filter, one layer.
struct Segment {
  int64_t offset;
  int64_t length;
};

/// norms[i] = Euclidean norm of segment i of x, the squares summed in double, in dot's order
/// (kernels/vector/dot_order.h): for f32, every implementation gives the same bits. Segments may
/// overlap and leave gaps; an empty one has norm 0.
struct FilterNormsArgs {
  static constexpr std::string_view kOp = "filter_norms";
  Tensor norms;                       ///< [count], f64
  Tensor x;                           ///< flat, f32 or f64
  const Segment* segments = nullptr;  ///< [count], on the host
  int64_t count = 0;
  void check() const;
};
inline void filter_norms(const FilterNormsArgs& args, Context& context) {
  run_op(args, context);
}

}  // namespace topograd
