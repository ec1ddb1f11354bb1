// The gradients of a convolution as tiled products, for the blocks of fma_block.cuh and of
// tensor_core_block.cuh: conv2d_3_implicit_gemm.cu has the formulas.
#pragma once

#include "kernels/conv2d/forward_tiles.cuh"

namespace topograd::TOPOGRAD_BACKEND {

/// Place of an output row: row m begins at pixel m of a lattice of C channels.
struct LatticePlace {
  Lattice lattice;
  int C;
  __device__ int64_t operator()(int row) const {
    return static_cast<int64_t>(lattice.pixel(row).flat) * C;
  }
};

/// The filters as a matrix with a row for each input channel and k = (tap, output channel), for the
/// taps (h, w), (h, w + stride), ..., (h + stride, w), ...
struct FilterTaps {
  static constexpr bool kAlongK = false;
  const float* w;
  int I, KH, KW;
  int stride, h_first, w_first;
  Kernel taps;
  bool quads;

  struct Row {
    const float* start;
    int count;
  };
  __device__ Row row(int i) const { return {w + i, I - i}; }
  template <bool kQuads>
  __device__ Quad load(const Row& row, int k) const {
    const Tap tap = taps.tap(k);  // its channel is an output channel
    const int h = tap.h * stride + h_first, v = tap.w * stride + w_first;
    const int64_t line = (static_cast<int64_t>(tap.channel) * KH + h) * KW + v;
    return k < taps.depth ? load_floats<kQuads, 4>(row.start + line * I, row.count) : Quad{};
  }
};

/// Block b owns tile b of the lattice's pixels of dx, counted along its rows; Block says which
/// of its numbers a thread owns.
template <class Block>
__global__ void __launch_bounds__(kTileThreads)
    backward_data_tiles_kernel(Output<LatticePlace> dx, PixelsByTaps dy, FilterTaps w) {
  multiply_tile<Block>(dy, w, dx, 0, w.taps.depth);
}

/// Computes the pixels of dx from (h, w) on in steps of the stride.
template <class Block>
void launch_backward_data_of(const Conv2dBackwardDataArgs& args, const ConvExtents& e, int64_t h,
                             int64_t w, Context& context) {
  const int64_t stride = e.stride.h;
  const int64_t rows = ceil_div(e.H - h, stride), columns = ceil_div(e.W - w, stride);
  const int64_t pixels = e.N * rows * columns;
  if (pixels == 0 || e.I == 0) return;
  const int64_t kh = (h + e.padding.h) % stride, kw = (w + e.padding.w) % stride;  // remainders
  const int64_t taps_down = std::max<int64_t>(ceil_div(e.KH - kh, stride), 0);
  const int64_t taps_across = std::max<int64_t>(ceil_div(e.KW - kw, stride), 0);
  float* dx = pointer<float>(args.dx);
  const Output<LatticePlace> output{
      .y = dx,
      .bias = nullptr,
      .added = args.write == Write::accumulate ? dx : nullptr,
      .place = {Lattice(e.N, e.H, e.W, rows, columns, stride, h, w), static_cast<int>(e.I)},
      .rows = static_cast<int>(pixels),
      .columns = static_cast<int>(e.I),
      .relu = false,
      .quads = made_of_quads(dx, e.I)};
  const PixelsByTaps dy(pointer<float>(args.dy),
                        Lattice(e.N, e.OH, e.OW, rows, columns, 1, (h + e.padding.h) / stride,
                                (w + e.padding.w) / stride),
                        Kernel(taps_down, taps_across, e.O, -1));
  const float* filters = pointer<float>(args.w);
  const FilterTaps taps{.w = filters,
                        .I = static_cast<int>(e.I),
                        .KH = static_cast<int>(e.KH),
                        .KW = static_cast<int>(e.KW),
                        .stride = static_cast<int>(stride),
                        .h_first = static_cast<int>(kh),
                        .w_first = static_cast<int>(kw),
                        .taps = Kernel(taps_down, taps_across, e.O, 1),
                        .quads = made_of_quads(filters, e.I)};
  launch(backward_data_tiles_kernel<Block>, tile_grid<Block>(pixels, e.I), dim3(kTileThreads),
         tile_shared_bytes<Block, PixelsByTaps, FilterTaps>(), context, output, dy, taps);
}

template <class Block>
void launch_backward_data(const Conv2dBackwardDataArgs& args, Context& context) {
  const ConvExtents e(args.dy.shape(), args.dx.shape(), args.w.shape(), args.geometry);
  for (int64_t h = 0; h < std::min<int64_t>(e.stride.h, e.H); ++h)
    for (int64_t w = 0; w < std::min<int64_t>(e.stride.w, e.W); ++w)
      launch_backward_data_of<Block>(args, e, h, w, context);
}

/// Block (b, s) owns tile b of dw^T's part s; Block says which of its numbers a thread owns.
template <class Block>
__global__ void __launch_bounds__(kTileThreads)
    backward_filter_tiles_kernel(Output<RowMajor> part, TapsByPixels x, Matrix<false> dy,
                                 int pixels_a_part) {
  const int s = static_cast<int>(blockIdx.y);
  part.y += s * static_cast<int64_t>(part.rows) * part.columns;
  const int begin = s * pixels_a_part;
  multiply_tile<Block>(x, dy, part, begin, min(begin + pixels_a_part, dy.depth));
}

/// Thread i owns elements i, i + step, ... of dw^T, (tap, filter): (filter, tap) of dw. The reads
/// of a warp are lines; its writes are not, but there are as many parts to read as there are
/// blocks.
static __global__ void __launch_bounds__(kTileThreads)
    add_parts_kernel(float* __restrict__ dw, const float* __restrict__ parts, int64_t taps,
                     int64_t filters, int count, bool accumulate) {
  for (int64_t i = first_element(); i < taps * filters; i += element_step()) {
    float* out = dw + i % filters * taps + i / filters;
    float sum = accumulate ? *out : 0;
    for (int s = 0; s < count; ++s) sum += parts[s * taps * filters + i];
    *out = sum;
  }
}

/// Returns the pixels of each part into which a sum over `pixels` is cut, for a result of so many
/// tiles: a multiple of the tile's depth.
inline int64_t pixels_a_part(int64_t pixels, int64_t tiles) {
  constexpr int64_t kBlocks = 264;  // two for each multiprocessor of an H100 or H200
  constexpr int64_t kLeast = 16 * kTileK;
  const int64_t parts = std::min(ceil_div(kBlocks, tiles), std::max<int64_t>(pixels / kLeast, 1));
  return std::max<int64_t>(ceil_div(ceil_div(pixels, parts), kTileK), 1) * kTileK;
}

template <class Block>
void launch_backward_filter(const Conv2dBackwardFilterArgs& args, Context& context) {
  const ConvExtents e(args.dy.shape(), args.x.shape(), args.dw.shape(), args.geometry);
  const int64_t taps = e.KH * e.KW * e.I, pixels = e.N * e.OH * e.OW;
  if (args.dw.size() == 0) return;
  dim3 grid = tile_grid<Block>(taps, e.O);
  const int64_t length = pixels_a_part(pixels, grid.x), parts = ceil_div(pixels, length);
  float* workspace = nullptr;
  if (parts > 0) {
    grid.y = static_cast<unsigned>(parts);
    workspace = static_cast<float*>(
        context.workspace(parts * args.dw.size() * static_cast<int64_t>(sizeof(float))));
    const TapsByPixels x(pointer<float>(args.x),
                         Lattice(e.N, e.H, e.W, e.OH, e.OW, e.stride.h, -e.padding.h, -e.padding.w),
                         Kernel(e.KH, e.KW, e.I, 1));
    const Output<RowMajor> output{.y = workspace,
                                  .bias = nullptr,
                                  .added = nullptr,
                                  .place = {e.O},
                                  .rows = static_cast<int>(taps),
                                  .columns = static_cast<int>(e.O),
                                  .relu = false,
                                  .quads = made_of_quads(workspace, e.O)};
    launch(backward_filter_tiles_kernel<Block>, grid, dim3(kTileThreads),
           tile_shared_bytes<Block, TapsByPixels, Matrix<false>>(), context, output, x,
           matrix<false>(pointer<float>(args.dy), static_cast<int>(e.O), static_cast<int>(pixels)),
           static_cast<int>(length));
  }
  launch(add_parts_kernel, grid_for(args.dw.size(), kTileThreads), dim3(kTileThreads), 0, context,
         pointer<float>(args.dw), workspace, taps, e.O, static_cast<int>(parts),
         args.write == Write::accumulate);
}

/// Returns the extents of a convolution, from the arguments of its three directions.
inline ConvExtents extents_of(const Conv2dForwardArgs& a) {
  return {a.y.shape(), a.x.shape(), a.w.shape(), a.geometry};
}
inline ConvExtents extents_of(const Conv2dBackwardDataArgs& a) {
  return {a.dy.shape(), a.dx.shape(), a.w.shape(), a.geometry};
}
inline ConvExtents extents_of(const Conv2dBackwardFilterArgs& a) {
  return {a.dy.shape(), a.x.shape(), a.dw.shape(), a.geometry};
}

inline bool tiles_support(const Conv2dForwardArgs& a) {
  return all_f32(a.y) && tiles_support(a.geometry) && tiles_support(extents_of(a));
}
inline bool tiles_support(const Conv2dBackwardDataArgs& a) {
  return all_f32(a.dx) && tiles_support(a.geometry) && tiles_support(extents_of(a));
}
inline bool tiles_support(const Conv2dBackwardFilterArgs& a) {
  return all_f32(a.dw) && tiles_support(a.geometry) && tiles_support(extents_of(a));
}

/// Returns conv2d's forward pass, without what fused_conv adds.
inline ForwardPass forward_pass(const Conv2dForwardArgs& args) {
  return {.extents = extents_of(args),
          .y = pointer<float>(args.y),
          .x = pointer<float>(args.x),
          .w = pointer<float>(args.w),
          .bias = pointer<float>(args.bias),
          .residual = args.write == Write::accumulate ? pointer<float>(args.y) : nullptr};
}

}  // namespace topograd::TOPOGRAD_BACKEND
