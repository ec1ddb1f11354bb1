// Rearranging an image's elements: the strided copy that permutations of axes, slices, reshapes,
// flips, channel and pixel shuffles and zero padding are.
#pragma once

#include <array>

#include "kernels/core/op.h"

namespace topograd {

/// Element (i0, ..., i5) of the output, in row-major order of the axes' extents, is element
///   offset + sum over k of (i_k - begin_k) stride_k
/// of the input where begin_k <= i_k < end_k for every axis, and 0 elsewhere: the padding. So
/// `offset` is the element that is read at (begin0, ..., begin5). Strides may have any sign.
struct StridedMap {
  struct Axis {
    int64_t extent = 1, stride = 0;
    int64_t begin = 0, end = 1;  ///< 0 <= begin <= end <= extent
    friend bool operator==(const Axis&, const Axis&) = default;
  };
  static constexpr int kAxes = 6;
  std::array<Axis, kAxes> axes;  ///< outermost first
  int64_t offset = 0;

  /// Number of elements of the output.
  int64_t size() const;
  /// Number of elements of the output that are read from the input.
  int64_t read_size() const;
  /// The lowest and the highest element that is read; {0, -1} where there is none.
  struct Range {
    int64_t lowest, highest;
  };
  Range range() const;
  /// Returns the input's element for every element of the output, -1 for the padding.
  std::vector<int64_t> table() const;
  /// Returns the same map with as few axes as possible, the others in front with an extent of 1:
  /// an axis within which another one goes on by one stride is one with it.
  StridedMap merged() const;
};

/// y[n] = the map of x[n], for every image n.
struct RearrangeArgs {
  static constexpr std::string_view kOp = "rearrange";
  Tensor y;  ///< [N, ...], map.size() elements an image
  Tensor x;  ///< [N, ...]
  StridedMap map;
  void check() const;
};
inline void rearrange(const RearrangeArgs& args, Context& context) {
  run_op(args, context);
}

/// dx[n] = dy[n], each element where it was read, and 0 where none was. No element may have been
/// read twice; whether that is so is for the caller to know (is_injective).
struct RearrangeBackwardArgs {
  static constexpr std::string_view kOp = "rearrange_backward";
  Tensor dx;  ///< [N, ...]
  Tensor dy;  ///< [N, ...], map.size() elements an image
  StridedMap map;
  Write write = Write::overwrite;
  void check() const;
};
inline void rearrange_backward(const RearrangeBackwardArgs& args, Context& context) {
  run_op(args, context);
}

/// Returns whether a map reads no element twice. Throws Error where that would take long to tell: of
/// more than four million elements, where one axis's steps lie within another's reach.
bool is_injective(const StridedMap& map);

}  // namespace topograd
