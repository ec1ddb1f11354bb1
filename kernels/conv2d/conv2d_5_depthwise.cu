// Depthwise convolutions: one filter for each channel, in all three directions.
//
//   y[n, oh, ow, c] = bias[c] + sum over kh, kw of
//                         x[n, oh s + kh d - p, ow s + kw d - p, c] w[c, kh, kw]
//
// Since rung 4: there is no matrix product. Channels do not meet, so nothing that was loaded serves
// other filters; a number of x serves the KH KW windows that it lies under, and no more.
//
// Forward: a block of 32 x 8 threads owns 32 channels. Thread (c, r) owns channel c of some strips,
// each of four neighbours in a row of y:
//
//   x    . . a b c d e f . .      six columns of a row are loaded once, into registers
//             \|/ \|/             and serve four sums with three taps each
//   y         0 1 2 3
//
// Neighbouring threads have neighbouring channels: every load and store of a warp is a line of 128
// bytes. Filters lie one after the other, KH KW floats each, so that a warp's loads of one tap
// would touch KH KW lines; the block copies the taps of its 32 channels into shared memory first,
// neighbours by channel, and keeps them for all of its strips (4 KH KW 32 bytes: 1,152 for 3x3).
// With a width and stride that the compiler knows (3, 5 and 7 by 1, 3 by 2) the columns stay in
// registers; otherwise each product loads its own, from the first-level cache.
//
// Backward data: with a stride of 1 the same kernel, over dy, with the taps from the last to the
// first. With a wider one each thread looks which taps its pixels lie under, as rung 1 does.
//
// Backward filter: C KH KW results, each a sum over N OH OW pixels. A block owns 32 channels, up to
// eight taps of one row of the kernel, and a part of the pixels; thread (c, r) sums every eighth
// pixel of the part for all of its taps, with one load of dy for them. The eight shares meet in
// shared memory (8 KB), where thread (c, t) adds up tap t's in their order; the parts go to the
// workspace, and a second kernel adds these: the bits depend on the shapes alone.
//
// Work: 2 N OH OW C KH KW FLOP. Bytes, if everything moved once: 4 (x + y), 8 for the 18 FLOP of a
// 3x3 number of stride 1: 2.25 FLOP a byte, where an H200 has 16 to spare. Memory bounds it, if the
// caches deliver: per number of y 4.5 loads of x from the first-level cache (3 rows, 6 columns for
// 4 numbers) and 2.25 of taps from shared memory, 6.75 of the 32 that a multiprocessor does in a
// clock. By prediction, 0.4 clocks for the memory's 8 bytes and 0.2 for the loads.
#include "kernels/conv2d/depthwise_strips.cuh"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kShares = kStripRows, kTaps = 8;  // backward filter: of a block

ConvExtents extents_of(const Conv2dForwardArgs& a) {
  return {a.y.shape(), a.x.shape(), a.w.shape(), a.geometry};
}
ConvExtents extents_of(const Conv2dBackwardDataArgs& a) {
  return {a.dy.shape(), a.dx.shape(), a.w.shape(), a.geometry};
}
ConvExtents extents_of(const Conv2dBackwardFilterArgs& a) {
  return {a.dy.shape(), a.x.shape(), a.dw.shape(), a.geometry};
}

void forward(const Conv2dForwardArgs& args, Context& context) {
  const ConvExtents e = extents_of(args);
  float* y = pointer<float>(args.y);
  launch_gathered({.y = y,
                   .bias = pointer<float>(args.bias),
                   .residual = args.write == Write::accumulate ? y : nullptr,
                   .relu = false},
                  pointer<float>(args.x), pointer<float>(args.w),
                  DepthwiseStrips(e.N, e.H, e.W, e.OH, e.OW, e, e.stride, e.padding, false),
                  DepthwiseSteps{}, 1, context);
}

void backward_data(const Conv2dBackwardDataArgs& args, Context& context) {
  const ConvExtents e = extents_of(args);
  float* dx = pointer<float>(args.dx);
  const DepthwiseOutput out{.y = dx,
                            .bias = nullptr,
                            .residual = args.write == Write::accumulate ? dx : nullptr,
                            .relu = false};
  const float *dy = pointer<float>(args.dy), *w = pointer<float>(args.w);
  if (e.stride == 1) {
    const PerAxis padding(e.dilation.h * (static_cast<int>(e.KH) - 1) - e.padding.h,
                          e.dilation.w * (static_cast<int>(e.KW) - 1) - e.padding.w);
    launch_gathered(out, dy, w,
                    DepthwiseStrips(e.N, e.OH, e.OW, e.H, e.W, e, e.stride, padding, true),
                    DepthwiseSteps{}, 1, context);
  } else {
    launch_strips<Scattered>(
        out, dy, w, DepthwiseStrips(e.N, e.OH, e.OW, e.H, e.W, e, e.stride, e.padding, false),
        DepthwiseSteps{}, 1, context);
  }
}

/// What the gradient of the filters is summed over.
struct Pixels {
  int H, W, OH, OW, C, KH, KW, count, a_part;  // output pixels, those of a part
  PerAxis stride, padding, dilation;
  IntDivisor rows, columns;

  Pixels(const ConvExtents& e, int64_t parts)
      : H(static_cast<int>(e.H)),
        W(static_cast<int>(e.W)),
        OH(static_cast<int>(e.OH)),
        OW(static_cast<int>(e.OW)),
        C(static_cast<int>(e.I)),
        KH(static_cast<int>(e.KH)),
        KW(static_cast<int>(e.KW)),
        count(static_cast<int>(e.N * e.OH * e.OW)),
        a_part(static_cast<int>(ceil_div(e.N * e.OH * e.OW, parts))),
        stride(e.stride),
        padding(e.padding),
        dilation(e.dilation),
        rows(e.OH),
        columns(e.OW) {}
};

/// Adds pixel m's products with up to kTaps taps of row kh, from kw on.
__device__ inline void add_pixel(float (&sums)[kTaps], const float* __restrict__ dy,
                                 const float* __restrict__ x, int m, int kh, int kw,
                                 const Pixels& s) {
  const int line = s.columns.quotient(m), n = s.rows.quotient(line);
  const int h = (line - n * s.OH) * s.stride.h + kh * s.dilation.h - s.padding.h;
  if (static_cast<unsigned>(h) >= static_cast<unsigned>(s.H)) return;
  const float gradient = dy[static_cast<int64_t>(m) * s.C];
  const float* row = x + (static_cast<int64_t>(n) * s.H + h) * s.W * s.C;
  const int first = (m - line * s.OW) * s.stride.w - s.padding.w;
#pragma unroll
  for (int t = 0; t < kTaps; ++t) {
    const int v = first + (kw + t) * s.dilation.w;
    if (kw + t < s.KW && static_cast<unsigned>(v) < static_cast<unsigned>(s.W))
      sums[t] += gradient * row[static_cast<int64_t>(v) * s.C];
  }
}

__global__ void __launch_bounds__(kStripChannels* kShares)
    backward_filter_depthwise_kernel(float* __restrict__ parts, const float* __restrict__ dy,
                                     const float* __restrict__ x, Pixels s) {
  // This thread owns every eighth pixel of the block's part, and then one tap of its channel.
  const int lane = static_cast<int>(threadIdx.x), share = static_cast<int>(threadIdx.y);
  const int c = static_cast<int>(blockIdx.x) * kStripChannels + lane;
  const int blocks_a_row = (s.KW + kTaps - 1) / kTaps, b = static_cast<int>(blockIdx.y);
  const int kh = b / blocks_a_row, kw = b % blocks_a_row * kTaps;
  const int part = static_cast<int>(blockIdx.z), begin = part * s.a_part;
  const int end = min(begin + s.a_part, s.count);
  float own[kTaps] = {};
  if (c < s.C)
    for (int m = begin + share; m < end; m += kShares) add_pixel(own, dy + c, x + c, m, kh, kw, s);
  __shared__ float sums[kShares][kTaps][kStripChannels];
#pragma unroll
  for (int t = 0; t < kTaps; ++t) sums[share][t][lane] = own[t];
  __syncthreads();  // all shares are there before they are added
  const int t = share;
  if (c >= s.C || kw + t >= s.KW) return;
  float sum = 0;
  for (int i = 0; i < kShares; ++i) sum += sums[i][t][lane];
  parts[((static_cast<int64_t>(part) * s.KH + kh) * s.KW + kw + t) * s.C + c] = sum;
}

/// Thread i owns elements i, i + step, ... of the sums [tap, channel]; in dw the taps come last.
__global__ void __launch_bounds__(kStripChannels* kShares)
    add_depthwise_parts_kernel(float* __restrict__ dw, const float* __restrict__ parts, int64_t C,
                               int64_t taps, int count, bool accumulate) {
  for (int64_t i = first_element(); i < C * taps; i += element_step()) {
    float* out = dw + i % C * taps + i / C;
    float sum = accumulate ? *out : 0;
    for (int s = 0; s < count; ++s) sum += parts[s * C * taps + i];
    *out = sum;
  }
}

void backward_filter(const Conv2dBackwardFilterArgs& args, Context& context) {
  if (args.dw.size() == 0) return;
  const ConvExtents e = extents_of(args);
  constexpr int64_t kBlocks = 528, kLeast = 256;  // four a multiprocessor of an H200; pixels a part
  const int64_t across = ceil_div(e.I, kStripChannels), down = e.KH * ceil_div(e.KW, kTaps);
  const int64_t parts =
      std::clamp<int64_t>(e.N * e.OH * e.OW / kLeast, 1, ceil_div(kBlocks, across * down));
  float* workspace = static_cast<float*>(
      context.workspace(parts * args.dw.size() * static_cast<int64_t>(sizeof(float))));
  const auto extent = [](int64_t n) { return static_cast<unsigned>(n); };
  launch(backward_filter_depthwise_kernel, dim3(extent(across), extent(down), extent(parts)),
         dim3(kStripChannels, kShares), 0, context, workspace, pointer<float>(args.dy),
         pointer<float>(args.x), Pixels(e, parts));
  launch(add_depthwise_parts_kernel, grid_for(args.dw.size(), kStripChannels * kShares),
         dim3(kStripChannels * kShares), 0, context, pointer<float>(args.dw), workspace, e.I,
         e.KH * e.KW, static_cast<int>(parts), args.write == Write::accumulate);
}

}  // namespace

void register_conv2d_5_depthwise(OpRegistry& registry) {
  registry.add<Conv2dForwardArgs>({"depthwise", kDevice,
                                   [](const Conv2dForwardArgs& a) {
                                     return all_f32(a.y) &&
                                            strips_support(extents_of(a), a.geometry);
                                   },
                                   forward});
  registry.add<Conv2dBackwardDataArgs>({"depthwise", kDevice,
                                        [](const Conv2dBackwardDataArgs& a) {
                                          return all_f32(a.dx) &&
                                                 strips_support(extents_of(a), a.geometry);
                                        },
                                        backward_data});
  registry.add<Conv2dBackwardFilterArgs>({"depthwise", kDevice,
                                          [](const Conv2dBackwardFilterArgs& a) {
                                            return all_f32(a.dw) &&
                                                   strips_support(extents_of(a), a.geometry);
                                          },
                                          backward_filter});
}

}  // namespace topograd::TOPOGRAD_BACKEND
