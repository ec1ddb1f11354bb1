// Convolutions of small groups, one channel (depthwise), two, four or eight with as many filters,
// in vector code along the channels: for the implementations of conv2d and fused_conv that use it.
// kernels/conv2d/grouped.cpp explains it.
#pragma once

#include <vector>

#include "kernels/conv2d/conv2d.h"

namespace topograd {

/// Tap k of a filter, and the place that it reads, relative to where the window lies.
struct GroupTap {
  int64_t k, at;
};

/// Positions along one axis that have the same taps: first, first + step, ..., `count` of them. The
/// window of the first lies at `from`, those of the others `from_step` apart.
struct GroupRun {
  int64_t first, step, count, from, from_step;
  std::vector<GroupTap> taps;
};

/// A convolution of N images of C channels in groups of `group`: y [N, rows_out, columns_out, C]
/// from x [N, rows_in, columns_in, C], or the gradient of its input. Every position of y is in one
/// run of the rows and one of the columns.
struct SmallGroups {
  int64_t N, C, group, KH, KW;
  int64_t rows_in, columns_in, rows_out, columns_out;
  std::vector<GroupRun> rows, columns;
  bool backward;  ///< to the gradient of the input
};

/// Whether the algorithm applies: f32, groups of one, two, four or eight channels and as many
/// filters. x and w are one network's.
bool small_groups_fit(const Shape& x, const Shape& w, DType dtype, const ConvGeometry& geometry);

/// Return the convolution x [N, H, W, C] -> y, and the one from y's gradient to x's.
SmallGroups small_groups_forward(const Shape& x, const Shape& w, const ConvGeometry& geometry);
SmallGroups small_groups_backward(const Shape& x, const Shape& w, const ConvGeometry& geometry);

/// Floats of the packed filters. Those of a depthwise convolution serve both directions.
int64_t small_groups_packed_size(const SmallGroups& conv);
void small_groups_pack(float* packed, const float* w, const SmallGroups& conv);

/// Last step: y = max(sums + bias + residual, 0), without the terms that are null and, unless
/// `relu`, without the maximum. NaN stays NaN.
struct GroupEpilogue {
  const float* bias = nullptr;      ///< [C]
  const float* residual = nullptr;  ///< like y, or y itself
  bool relu = false;
};

/// Floats that are needed to work in.
int64_t small_groups_scratch_size(const SmallGroups& conv);

/// Writes y from x; filters are packed.
/// scratch: small_groups_scratch_size() floats.
void small_groups_convolve(float* y, const float* x, const float* packed,
                           const GroupEpilogue& epilogue, const SmallGroups& conv, float* scratch);

/// Writes or adds up dw [C, KH, KW, group] of the convolution that `conv`, a forward one,
/// describes, from its x and dy.
/// scratch: small_groups_packed_size() and small_groups_scratch_size() floats.
void small_groups_filter_gradient(float* dw, const float* dy, const float* x, bool accumulate,
                                  const SmallGroups& conv, float* scratch);

}  // namespace topograd
