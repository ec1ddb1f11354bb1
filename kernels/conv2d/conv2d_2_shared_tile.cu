// The forward convolution as a matrix product from tiles in shared memory (implicit GEMM).
//
//   y [N OH OW, O] = windows of x [N OH OW, KH KW I] * filters [O, KH KW I]^T
//
// Since rung 1: a number that was loaded serves many products. Row m of the left matrix holds what
// lies under the kernel at output pixel m, k = (kh KW + kw) I + i. It is nine times x for a 3x3
// kernel and never written: the block gathers a tile of it from x where gemm would copy one.
//
//             k: tap 0, its I channels | tap 1 ... | tap 8
//   pixel 0   [ 0 0 0 0 ................ x[0,0,:] ........ ]        a tile: 64 pixels, 16 k
//   pixel 1   [ 0 0 0 0 ................ x[0,1,:] ........ ]        16 neighbouring k are mostly
//      :                                                            neighbouring channels: one line
//
// A block of 128 threads owns 64 pixels x 32 filters of y and goes along k in steps of 16. Thread
// t, with v = t / 8 and u = t % 8, owns pixels v, v + 16, v + 32, v + 48, each for filters u,
// u + 8, u + 16, u + 24: 16 sums in registers. It gathers one k of every step, for 8 pixels: their
// places are worked out once, the tap of its k once a step.
//
// Work: 2 N OH OW O KH KW I FLOP. Traffic from the caches: 4 (1/32 + 1/64) bytes per product in
// place of 8; from memory x about once, because neighbouring windows overlap. Shared memory: 6,272
// bytes. Instructions: 8 loads from shared memory for 16 multiply-adds. A multiprocessor loads for
// one warp per clock and multiplies for 4 (sm_90) or 2 (sm_80): the loads bound it. Predicted: a
// third of the peak on sm_90, a half on sm_80, what is left going to gathering and to two barriers
// a step. The next rung has larger tiles of both, divides by multiplying, fetches a tile while it
// multiplies the one before, and does the two gradients as well.
#include "kernels/conv2d/conv2d.h"
#include "kernels/conv2d/extents.h"
#include "kernels/core/launch.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kPixels = 64, kFilters = 32, kDepth = 16;  // extents of the block's tile
constexpr int kDown = 16, kAcross = 8, kThreads = kDown * kAcross;
constexpr int kMine = 4;                   // pixels and filters of a thread
constexpr int kLines = kThreads / kDepth;  // lines of a tile that all threads copy at a time

struct Sizes {
  int pixels, filters, depth;  // N OH OW, O, KH KW I
  int H, W, I, OH, OW, KW;
  PerAxis stride, padding;
};

/// The corner of a pixel's window in x: the image, the place of tap (0, 0), perhaps outside.
struct Corner {
  const float* image;
  int h, w;
};
__device__ inline Corner corner_of(int pixel, const float* x, const Sizes& s) {
  const int n = pixel / (s.OH * s.OW), oh = pixel / s.OW % s.OH, ow = pixel % s.OW;
  return {x + int64_t{n} * s.H * s.W * s.I, oh * s.stride.h - s.padding.h,
          ow * s.stride.w - s.padding.w};
}

__global__ void __launch_bounds__(kThreads)
    forward_shared_tile_kernel(float* __restrict__ y, const float* __restrict__ x,
                               const float* __restrict__ w, const float* __restrict__ bias,
                               Sizes s) {
  // A line of an odd number of floats keeps neighbours along k in different banks.
  __shared__ float tile_x[kDepth][kPixels + 1], tile_w[kDepth][kFilters + 1];
  const int across = (s.filters + kFilters - 1) / kFilters, t = static_cast<int>(threadIdx.x);
  const int first_pixel = static_cast<int>(blockIdx.x) / across * kPixels;
  const int first_filter = static_cast<int>(blockIdx.x) % across * kFilters;

  const int my_k = t % kDepth, my_line = t / kDepth;  // number that this thread copies
  Corner corners[kPixels / kLines];
  for (int i = 0; i < kPixels / kLines; ++i)
    corners[i] = corner_of(first_pixel + my_line + kLines * i, x, s);

  // This thread owns pixels v + 16 i for filters u + 8 j of the tile.
  const int v = t / kAcross, u = t % kAcross;
  float sums[kMine][kMine] = {};
  for (int first_k = 0; first_k < s.depth; first_k += kDepth) {
    const int k = first_k + my_k, tap = k / s.I, kh = tap / s.KW, kw = tap % s.KW;
#pragma unroll
    for (int i = 0; i < kPixels / kLines; ++i) {
      const int line = my_line + kLines * i, row = corners[i].h + kh, column = corners[i].w + kw;
      const bool inside = first_pixel + line < s.pixels && k < s.depth && row >= 0 && row < s.H &&
                          column >= 0 && column < s.W;
      tile_x[my_k][line] =
          inside ? corners[i].image[(int64_t{row} * s.W + column) * s.I + k % s.I] : 0;
    }
#pragma unroll
    for (int i = 0; i < kFilters / kLines; ++i) {
      const int line = my_line + kLines * i, filter = first_filter + line;
      tile_w[my_k][line] = filter < s.filters && k < s.depth ? w[int64_t{filter} * s.depth + k] : 0;
    }
    __syncthreads();  // both tiles are complete before any thread reads them
#pragma unroll
    for (int d = 0; d < kDepth; ++d) {
      float left[kMine], right[kMine];
#pragma unroll
      for (int i = 0; i < kMine; ++i) left[i] = tile_x[d][v + kDown * i];
#pragma unroll
      for (int j = 0; j < kMine; ++j) right[j] = tile_w[d][u + kAcross * j];
#pragma unroll
      for (int i = 0; i < kMine; ++i)
#pragma unroll
        for (int j = 0; j < kMine; ++j) sums[i][j] += left[i] * right[j];
    }
    __syncthreads();  // all threads have read both tiles before they are overwritten
  }
#pragma unroll
  for (int i = 0; i < kMine; ++i)
#pragma unroll
    for (int j = 0; j < kMine; ++j) {
      const int pixel = first_pixel + v + kDown * i, filter = first_filter + u + kAcross * j;
      if (pixel < s.pixels && filter < s.filters)
        y[int64_t{pixel} * s.filters + filter] = sums[i][j] + (bias ? bias[filter] : 0);
    }
}

bool supports(const Conv2dForwardArgs& args) {
  const ConvExtents e(args.y.shape(), args.x.shape(), args.w.shape(), args.geometry);
  const int64_t largest = std::max({e.N * e.H * e.W, e.N * e.OH * e.OW, e.KH * e.KW * e.I, e.O});
  return all_f32(args.y) && args.geometry.is_dense() && args.write == Write::overwrite &&
         largest < int64_t{1} << 30;
}

void forward(const Conv2dForwardArgs& args, Context& context) {
  if (args.y.size() == 0) return;
  const ConvExtents e(args.y.shape(), args.x.shape(), args.w.shape(), args.geometry);
  const auto as_int = [](int64_t extent) { return static_cast<int>(extent); };
  const Sizes sizes{.pixels = as_int(e.N * e.OH * e.OW),
                    .filters = as_int(e.O),
                    .depth = as_int(e.KH * e.KW * e.I),
                    .H = as_int(e.H),
                    .W = as_int(e.W),
                    .I = as_int(e.I),
                    .OH = as_int(e.OH),
                    .OW = as_int(e.OW),
                    .KW = as_int(e.KW),
                    .stride = e.stride,
                    .padding = e.padding};
  const int64_t tiles = ceil_div(sizes.pixels, kPixels) * ceil_div(sizes.filters, kFilters);
  launch(forward_shared_tile_kernel, dim3(static_cast<unsigned>(tiles)), dim3(kThreads), 0, context,
         pointer<float>(args.y), pointer<float>(args.x), pointer<float>(args.w),
         pointer<float>(args.bias), sizes);
}

}  // namespace

void register_conv2d_2_shared_tile(OpRegistry& registry) {
  registry.add<Conv2dForwardArgs>({"shared_tile", kDevice, supports, forward});
}

}  // namespace topograd::TOPOGRAD_BACKEND
