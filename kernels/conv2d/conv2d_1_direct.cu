// Convolution by its definition, in all three directions: one thread per number of the result.
//
// - Forward: thread i owns element i of y, [n, oh, ow, o], and sums over its window. Neighbouring
//   threads have neighbouring filters: of x they read the same number (one broadcast), of w numbers
//   KH KW I apart, a line each.
// - Backward data: thread j owns element j of dx, [n, h, w, i], and sums over the outputs whose
//   windows it is in. Neighbouring threads read neighbouring numbers of w, and all the same of dy.
// - Backward filter: 32 x 8 threads own 32 neighbouring numbers of dw; the eight threads of one
//   number sum every eighth output pixel each, and the first adds the eight sums in their order, so
//   that the bits depend on the shapes alone. Neighbouring threads read neighbouring numbers of x.
//   Shared memory: 1 KB.
//
// Any stride, padding, dilation and number of groups: a filter sums over the I / G channels of its
// group.
//
// Work: 2 N OH OW O KH KW I / G FLOP each. Every product loads its two operands: 8 bytes to 2 FLOP,
// from the caches, and with index arithmetic in 64 bits. The load instructions bound it.
#include "kernels/conv2d/conv2d.h"
#include "kernels/conv2d/extents.h"
#include "kernels/core/launch.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;
constexpr int kElements = 32, kShares = 8;  // backward filter: in a block

/// Return the row in x of output oh's window under tap kh, and the column; negative or too large
/// where x has none.
__device__ inline int64_t row_under(int64_t oh, int64_t kh, const ConvExtents& e) {
  return oh * e.stride.h + kh * e.dilation.h - e.padding.h;
}
__device__ inline int64_t column_under(int64_t ow, int64_t kw, const ConvExtents& e) {
  return ow * e.stride.w + kw * e.dilation.w - e.padding.w;
}

__global__ void __launch_bounds__(kThreads)
    forward_direct_kernel(float* __restrict__ y, const float* __restrict__ x,
                          const float* __restrict__ w, const float* __restrict__ bias,
                          ConvExtents e, bool accumulate) {
  // This thread owns elements first_element(), first_element() + element_step(), ... of y.
  for (int64_t index = first_element(); index < e.N * e.OH * e.OW * e.O; index += element_step()) {
    const int64_t o = index % e.O, ow = index / e.O % e.OW;
    const int64_t oh = index / (e.O * e.OW) % e.OH, n = index / (e.O * e.OW * e.OH);
    const int64_t first = o / e.filters * e.channels;  // channel of the filter's group
    float sum = bias ? bias[o] : 0;
    for (int64_t kh = 0; kh < e.KH; ++kh)
      for (int64_t kw = 0; kw < e.KW; ++kw) {
        const int64_t h = row_under(oh, kh, e), v = column_under(ow, kw, e);
        if (h < 0 || h >= e.H || v < 0 || v >= e.W) continue;
        const float* pixel = x + ((n * e.H + h) * e.W + v) * e.I + first;
        const float* tap = w + ((o * e.KH + kh) * e.KW + kw) * e.channels;
        for (int64_t i = 0; i < e.channels; ++i) sum += pixel[i] * tap[i];
      }
    y[index] = accumulate ? y[index] + sum : sum;
  }
}

__global__ void __launch_bounds__(kThreads)
    backward_data_direct_kernel(float* __restrict__ dx, const float* __restrict__ dy,
                                const float* __restrict__ w, ConvExtents e, bool accumulate) {
  // This thread owns elements first_element(), first_element() + element_step(), ... of dx.
  for (int64_t index = first_element(); index < e.N * e.H * e.W * e.I; index += element_step()) {
    const int64_t i = index % e.I, v = index / e.I % e.W;
    const int64_t h = index / (e.I * e.W) % e.H, n = index / (e.I * e.W * e.H);
    const int64_t first = i / e.channels * e.filters;  // filter of the channel's group
    float sum = 0;
    for (int64_t kh = 0; kh < e.KH; ++kh)
      for (int64_t kw = 0; kw < e.KW; ++kw) {
        // At most one output has this pixel under this tap.
        const int64_t oh = (h + e.padding.h - kh * e.dilation.h) / e.stride.h;
        const int64_t ow = (v + e.padding.w - kw * e.dilation.w) / e.stride.w;
        if (oh < 0 || oh >= e.OH || row_under(oh, kh, e) != h) continue;
        if (ow < 0 || ow >= e.OW || column_under(ow, kw, e) != v) continue;
        const float* pixel = dy + ((n * e.OH + oh) * e.OW + ow) * e.O + first;
        const int64_t filter = e.KH * e.KW * e.channels;
        const float* tap = w + first * filter + (kh * e.KW + kw) * e.channels + i % e.channels;
        for (int64_t o = 0; o < e.filters; ++o) sum += pixel[o] * tap[o * filter];
      }
    dx[index] = accumulate ? dx[index] + sum : sum;
  }
}

/// Sums one share's part of one number of dw.
__device__ inline float filter_sum(const float* __restrict__ dy, const float* __restrict__ x,
                                   const ConvExtents& e, int64_t index, int64_t share) {
  const int64_t kw = index / e.channels % e.KW, kh = index / (e.channels * e.KW) % e.KH;
  const int64_t o = index / (e.channels * e.KW * e.KH);
  const int64_t i = o / e.filters * e.channels + index % e.channels;
  float sum = 0;
  for (int64_t m = share; m < e.N * e.OH * e.OW; m += kShares) {
    const int64_t ow = m % e.OW, oh = m / e.OW % e.OH, n = m / (e.OW * e.OH);
    const int64_t h = row_under(oh, kh, e), v = column_under(ow, kw, e);
    if (h < 0 || h >= e.H || v < 0 || v >= e.W) continue;
    sum += dy[m * e.O + o] * x[((n * e.H + h) * e.W + v) * e.I + i];
  }
  return sum;
}

__global__ void __launch_bounds__(kElements* kShares)
    backward_filter_direct_kernel(float* __restrict__ dw, const float* __restrict__ dy,
                                  const float* __restrict__ x, ConvExtents e, bool accumulate) {
  // This thread owns one of the eight shares of dw[index]; that of share 0 owns dw[index] itself.
  const int element = static_cast<int>(threadIdx.x), share = static_cast<int>(threadIdx.y);
  const int64_t index = static_cast<int64_t>(blockIdx.x) * kElements + element;
  const bool exists = index < e.O * e.KH * e.KW * e.channels;
  __shared__ float sums[kShares][kElements];
  sums[share][element] = exists ? filter_sum(dy, x, e, index, share) : 0;
  __syncthreads();  // all shares are there before they are added
  if (share == 0 && exists) {
    float sum = accumulate ? dw[index] : 0;
    for (int s = 0; s < kShares; ++s) sum += sums[s][element];
    dw[index] = sum;
  }
}

void forward(const Conv2dForwardArgs& args, Context& context) {
  launch(forward_direct_kernel, grid_for(args.y.size(), kThreads), dim3(kThreads), 0, context,
         pointer<float>(args.y), pointer<float>(args.x), pointer<float>(args.w),
         pointer<float>(args.bias),
         ConvExtents(args.y.shape(), args.x.shape(), args.w.shape(), args.geometry),
         args.write == Write::accumulate);
}

void backward_data(const Conv2dBackwardDataArgs& args, Context& context) {
  launch(backward_data_direct_kernel, grid_for(args.dx.size(), kThreads), dim3(kThreads), 0,
         context, pointer<float>(args.dx), pointer<float>(args.dy), pointer<float>(args.w),
         ConvExtents(args.dy.shape(), args.dx.shape(), args.w.shape(), args.geometry),
         args.write == Write::accumulate);
}

void backward_filter(const Conv2dBackwardFilterArgs& args, Context& context) {
  if (args.dw.size() == 0) return;
  launch(backward_filter_direct_kernel,
         dim3(static_cast<unsigned>(ceil_div(args.dw.size(), kElements))), dim3(kElements, kShares),
         0, context, pointer<float>(args.dw), pointer<float>(args.dy), pointer<float>(args.x),
         ConvExtents(args.dy.shape(), args.x.shape(), args.dw.shape(), args.geometry),
         args.write == Write::accumulate);
}

}  // namespace

void register_conv2d_1_direct(OpRegistry& registry) {
  registry.add<Conv2dForwardArgs>(
      {"direct", kDevice, [](const Conv2dForwardArgs& args) { return all_f32(args.y); }, forward});
  registry.add<Conv2dBackwardDataArgs>(
      {"direct", kDevice, [](const Conv2dBackwardDataArgs& args) { return all_f32(args.dx); },
       backward_data});
  registry.add<Conv2dBackwardFilterArgs>(
      {"direct", kDevice, [](const Conv2dBackwardFilterArgs& args) { return all_f32(args.dw); },
       backward_filter});
}

}  // namespace topograd::TOPOGRAD_BACKEND
