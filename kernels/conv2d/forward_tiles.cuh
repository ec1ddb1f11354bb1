// The forward pass as a tiled product, with what may follow it: for conv2d and for fused_conv.
//   y [N OH OW, O] = windows of x [N OH OW, KH KW I] * filters [O, KH KW I]^T
// Both operands run along K: a filter is a line, and so is a window, tap by tap.
#pragma once

#include "kernels/conv2d/windows.cuh"

namespace topograd::TOPOGRAD_BACKEND {

/// Distances from one network's tensors to the next one's, in elements; 0 for a tensor that all
/// share.
struct PointSteps {
  int64_t x, w, y;
  int filters;
};

/// Block (b, 0, p) owns tile b of network p's y, counted along its rows; Block says which
/// of its numbers a thread owns.
template <class Block>
__global__ void __launch_bounds__(kTileThreads)
    forward_tiles_kernel(Output<RowMajor> y, PixelsByTaps x, Matrix<true> w, PointSteps steps) {
  const int64_t p = blockIdx.z;
  y.y += p * steps.y;
  if (y.added) y.added += p * steps.y;
  if (y.bias) y.bias += p * steps.filters;
  x.images += p * steps.x;
  w.data += p * steps.w;
  multiply_tile<Block>(x, w, y, 0, w.depth);
}

struct ForwardPass {
  ConvExtents extents;  // extents of one network
  float* y;
  const float *x, *w, *bias, *residual;  // bias and residual may be null
  bool relu = false;
  int64_t points = 1;
  bool shares_x = false;
};

/// Whether the tiles gather such windows: of all channels, taps side by side, one stride both ways;
/// of no more taps than a mask has bits.
inline bool tiles_support(const ConvGeometry& geometry) {
  return geometry.is_dense() && geometry.stride.h == geometry.stride.w;
}
inline bool tiles_support(const ConvExtents& e) {
  return std::max(e.KH, e.KW) <= kMostTaps &&
         std::max({e.N * e.H * e.W, e.N * e.OH * e.OW, e.KH * e.KW * e.I, e.KH * e.KW * e.O, e.I,
                   e.O}) < kMaxTiled;
}

template <class Block>
void launch_forward_tiles(const ForwardPass& pass, Context& context) {
  const ConvExtents& e = pass.extents;
  const int rows = static_cast<int>(e.N * e.OH * e.OW), columns = static_cast<int>(e.O);
  const int depth = static_cast<int>(e.KH * e.KW * e.I);
  if (rows == 0 || columns == 0) return;
  const Output<RowMajor> y{
      .y = pass.y,
      .bias = pass.bias,
      .added = pass.residual,
      .place = {e.O},
      .rows = rows,
      .columns = columns,
      .relu = pass.relu,
      .quads = made_of_quads(pass.y, e.O) && made_of_quads(pass.residual, e.O)};
  const PixelsByTaps x(pass.x,
                       Lattice(e.N, e.H, e.W, e.OH, e.OW, e.stride.h, -e.padding.h, -e.padding.w),
                       Kernel(e.KH, e.KW, e.I, 1));
  const PointSteps steps{.x = pass.shares_x ? 0 : e.N * e.H * e.W * e.I,
                         .w = e.O * depth,
                         .y = e.O * rows,
                         .filters = columns};
  dim3 grid = tile_grid<Block>(rows, columns);
  grid.z = static_cast<unsigned>(pass.points);
  launch(forward_tiles_kernel<Block>, grid, dim3(kTileThreads),
         tile_shared_bytes<Block, PixelsByTaps, Matrix<true>>(), context, y, x,
         matrix<true>(pass.w, columns, depth), steps);
}

}  // namespace topograd::TOPOGRAD_BACKEND
