// A depthwise convolution, strip by strip: for conv2d's fifth rung and fused_conv's third, which
// explain it.
#pragma once

#include "kernels/conv2d/extents.h"
#include "kernels/core/divisor.h"
#include "kernels/core/launch.h"

namespace topograd::TOPOGRAD_BACKEND {

constexpr int kStrip = 4;                           // neighbouring numbers of y in a thread
constexpr int kStripChannels = 32, kStripRows = 8;  // a block's threads
constexpr int64_t kMaxTaps = 384;                   // that a block's shared memory holds: 48 KB

/// y [N, rows_out, columns_out, C] from x [N, rows_in, columns_in, C], cut into strips of a row.
struct DepthwiseStrips {
  int rows_in, columns_in, C, rows_out, columns_out, KH, KW;
  PerAxis stride, padding, dilation;
  bool flipped;        // filters from their last tap to the first
  int count, per_row;  // strips: of all images, of a row
  IntDivisor rows, strips;

  DepthwiseStrips(int64_t N, int64_t rows_in, int64_t columns_in, int64_t rows_out,
                  int64_t columns_out, const ConvExtents& e, PerAxis stride, PerAxis padding,
                  bool flipped)
      : rows_in(static_cast<int>(rows_in)),
        columns_in(static_cast<int>(columns_in)),
        C(static_cast<int>(e.I)),
        rows_out(static_cast<int>(rows_out)),
        columns_out(static_cast<int>(columns_out)),
        KH(static_cast<int>(e.KH)),
        KW(static_cast<int>(e.KW)),
        stride(stride),
        padding(padding),
        dilation(e.dilation),
        flipped(flipped),
        count(static_cast<int>(N * rows_out * ceil_div(columns_out, kStrip))),
        per_row(static_cast<int>(ceil_div(columns_out, kStrip))),
        rows(rows_out),
        strips(ceil_div(columns_out, kStrip)) {}
};

/// What becomes of the sums of P networks; bias and residual may be null, the residual y itself.
struct DepthwiseOutput {
  float* y;
  const float *bias, *residual;
  bool relu;
};
/// Distances from one network's tensors to the next one's, in elements.
struct DepthwiseSteps {
  int64_t x, w, y;
};

/// Returns x at a row's column, 0 outside.
__device__ inline float at_column(const float* row, int column, const DepthwiseStrips& s) {
  return static_cast<unsigned>(column) < static_cast<unsigned>(s.columns_in)
             ? row[static_cast<int64_t>(column) * s.C]
             : 0.0F;
}

/// Sums of a forward pass, whose kernel is kKW wide and moves by kStride; kKW == 0: any kernel,
/// stride and dilation.
template <int kKW, int kStride>
struct Gathered {
  static __device__ void sum(float (&sums)[kStrip], const float* image, const float* taps, int row,
                             int column, const DepthwiseStrips& s) {
    for (int kh = 0; kh < s.KH; ++kh, taps += s.KW * kStripChannels) {
      const int h = row * s.stride.h + kh * s.dilation.h - s.padding.h;
      if (static_cast<unsigned>(h) >= static_cast<unsigned>(s.rows_in)) continue;
      const float* line = image + static_cast<int64_t>(h) * s.columns_in * s.C;
      const int first = column * s.stride.w - s.padding.w;
      if constexpr (kKW > 0) {
        float window[(kStrip - 1) * kStride + kKW];
#pragma unroll
        for (int j = 0; j < (kStrip - 1) * kStride + kKW; ++j)
          window[j] = at_column(line, first + j, s);
#pragma unroll
        for (int kw = 0; kw < kKW; ++kw) {
          const float tap = taps[kw * kStripChannels];
#pragma unroll
          for (int p = 0; p < kStrip; ++p) sums[p] += window[p * kStride + kw] * tap;
        }
      } else {
        for (int kw = 0; kw < s.KW; ++kw) {
          const float tap = taps[kw * kStripChannels];
#pragma unroll
          for (int p = 0; p < kStrip; ++p)
            sums[p] += at_column(line, first + p * s.stride.w + kw * s.dilation.w, s) * tap;
        }
      }
    }
  }
};

/// Sums of the gradient of the input with a stride: of dy, where the stride leaves no remainder.
struct Scattered {
  static __device__ void sum(float (&sums)[kStrip], const float* image, const float* taps, int row,
                             int column, const DepthwiseStrips& s) {
    for (int kh = 0; kh < s.KH; ++kh, taps += s.KW * kStripChannels) {
      const int h = row + s.padding.h - kh * s.dilation.h;
      if (h < 0 || h % s.stride.h != 0 || h / s.stride.h >= s.rows_in) continue;
      const float* line = image + static_cast<int64_t>(h / s.stride.h) * s.columns_in * s.C;
      for (int kw = 0; kw < s.KW; ++kw) {
        const float tap = taps[kw * kStripChannels];
#pragma unroll
        for (int p = 0; p < kStrip; ++p) {
          const int v = column + p + s.padding.w - kw * s.dilation.w;
          if (v >= 0 && v % s.stride.w == 0) sums[p] += at_column(line, v / s.stride.w, s) * tap;
        }
      }
    }
  }
};

/// Block (b, j, p) owns channels 32 b to 32 b + 31 of network p's y; of these thread (c, r) owns
/// channel 32 b + c of strips 8 j + r, 8 (j + gridDim.y) + r, ...
template <class Sums>
__global__ void __launch_bounds__(kStripChannels* kStripRows)
    depthwise_strips_kernel(DepthwiseOutput out, const float* __restrict__ x,
                            const float* __restrict__ w, DepthwiseStrips s, DepthwiseSteps steps) {
  const int64_t p = blockIdx.z;
  const int lane = static_cast<int>(threadIdx.x);
  const int c = static_cast<int>(blockIdx.x) * kStripChannels + lane, count = s.KH * s.KW;
  x += p * steps.x + c;
  w += p * steps.w;
  out.y += p * steps.y + c;
  if (out.residual) out.residual += p * steps.y + c;
  // Filters lie one after the other; here neighbouring channels' taps are neighbours.
  float* taps = dynamic_shared<float>();
  for (int t = static_cast<int>(threadIdx.y); t < count; t += kStripRows)
    taps[t * kStripChannels + lane] =
        c < s.C ? w[static_cast<int64_t>(c) * count + (s.flipped ? count - 1 - t : t)] : 0;
  __syncthreads();  // all taps are there before any thread reads them
  if (c >= s.C) return;
  const float bias = out.bias ? out.bias[p * s.C + c] : 0;
  const int step = static_cast<int>(gridDim.y) * kStripRows;
  for (int strip = static_cast<int>(blockIdx.y * kStripRows + threadIdx.y); strip < s.count;
       strip += step) {
    const int line = s.strips.quotient(strip), n = s.rows.quotient(line);
    const int row = line - n * s.rows_out, column = (strip - line * s.per_row) * kStrip;
    float sums[kStrip] = {};
    Sums::sum(sums, x + static_cast<int64_t>(n) * s.rows_in * s.columns_in * s.C, taps + lane, row,
              column, s);
    int64_t at = (static_cast<int64_t>(line) * s.columns_out + column) * s.C;
#pragma unroll
    for (int i = 0; i < kStrip; ++i, at += s.C) {
      if (column + i >= s.columns_out) break;
      float value = sums[i] + bias;
      if (out.residual) value += out.residual[at];
      out.y[at] = out.relu && value < 0 ? 0 : value;  // NaN stays
    }
  }
}

inline bool strips_support(const ConvExtents& e, const ConvGeometry& geometry) {
  const int64_t largest = std::max({e.N * e.H * e.W, e.N * e.OH * e.OW, e.I, int64_t{1}});
  return geometry.groups > 1 && geometry.groups == e.I && geometry.groups == e.O &&
         e.KH * e.KW <= kMaxTaps && largest < int64_t{1} << 30;
}

template <class Sums>
void launch_strips(const DepthwiseOutput& out, const float* x, const float* w,
                   const DepthwiseStrips& s, const DepthwiseSteps& steps, int64_t points,
                   Context& context) {
  constexpr int64_t kMostRows = 1024;  // of blocks: enough for any GPU with few channels, too
  if (s.count == 0 || s.C == 0) return;
  const auto extent = [](int64_t n) { return static_cast<unsigned>(n); };
  const dim3 grid(extent(ceil_div(s.C, kStripChannels)),
                  extent(std::min(ceil_div(s.count, kStripRows), kMostRows)), extent(points));
  launch(depthwise_strips_kernel<Sums>, grid, dim3(kStripChannels, kStripRows),
         static_cast<size_t>(s.KH * s.KW * kStripChannels) * sizeof(float), context, out, x, w, s,
         steps);
}

/// Launches the forward pass by the kernel that knows its width and stride, if there is one.
inline void launch_gathered(const DepthwiseOutput& out, const float* x, const float* w,
                            const DepthwiseStrips& s, const DepthwiseSteps& steps, int64_t points,
                            Context& context) {
  const auto launch_as = [&](auto sums) {
    launch_strips<decltype(sums)>(out, x, w, s, steps, points, context);
  };
  const int width = s.dilation.w == 1 ? s.KW : 0, stride = s.stride.w;
  if (width == 3 && stride == 1) return launch_as(Gathered<3, 1>());
  if (width == 3 && stride == 2) return launch_as(Gathered<3, 2>());
  if (width == 5 && stride == 1) return launch_as(Gathered<5, 1>());
  if (width == 7 && stride == 1) return launch_as(Gathered<7, 1>());
  launch_as(Gathered<0, 0>());
}

}  // namespace topograd::TOPOGRAD_BACKEND
