// Pooling over windows, forward and backward, one thread per element of the output.
//
// Forward, thread i owns elements i, i + step, ... of y, and walks its window. Backward, it owns
// elements of dx, and walks the windows that contain its pixel (at most ceil(kernel / stride)
// squared): a gather. The scatter of the CPU's implementations, windows that add to their pixels,
// would need atomics where windows overlap, and its sums would come out in a different order every
// time. These come in the order of the windows, as on the CPU.
//   max:     a window gives its gradient to the first of its pixels that holds the maximum. A pixel
//            that does not hold it is done after one comparison; one that does looks through the
//            pixels of the window that come before it.
//   average: every window gives dy / kernel^2.
// Channels are innermost: the lanes of a warp walk the windows of 32 neighbouring channels in step,
// and every load is one line.
// The tangent of a maximum, forward too: thread i looks for the pixel that holds y's element i.
// Traffic, if overlapping reads come from the cache: forward 4 bytes per element of x and of y;
// backward 4 per element of dy and of dx, and for a maximum of x and of y. Work: kernel^2
// comparisons or additions per output; index arithmetic of some 60 instructions. Memory bounds 2x2
// windows at stride 2; 3x3 at stride 1 is bounded by its nine loads per output (predicted).
#include "kernels/core/divisor.h"
#include "kernels/core/launch.h"
#include "kernels/pool/pool.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;

struct Windows {
  int64_t H, W, C, OH, OW;
  int64_t kernel, stride, padding;
  Windows(const Tensor& image, const Tensor& pooled, const PoolGeometry& g)
      : H(image.dim(1)),
        W(image.dim(2)),
        C(image.dim(3)),
        OH(pooled.dim(1)),
        OW(pooled.dim(2)),
        kernel(g.kernel),
        stride(g.stride),
        padding(g.padding) {}

  /// Window o of an axis holds the pixels [begin(o), end(o, extent)).
  __device__ int64_t begin(int64_t o) const { return max(o * stride - padding, int64_t{0}); }
  __device__ int64_t end(int64_t o, int64_t extent) const {
    return min(o * stride - padding + kernel, extent);
  }
};

/// Computes y[n, oh, ow, c] for this thread's elements.
template <PoolKind kKind>
__global__ void __launch_bounds__(kThreads)
    forward_kernel(float* __restrict__ y, const float* __restrict__ x, int64_t size, Windows g,
                   Divisor C, Divisor OW, Divisor OH) {
  for (int64_t i = first_element(); i < size; i += element_step()) {
    const auto [pixel, c] = C.divide(i);
    const auto [row, ow] = OW.divide(pixel);
    const auto [n, oh] = OH.divide(row);
    float result = kKind == PoolKind::max ? -INFINITY : 0.0f;
    for (int64_t h = g.begin(oh); h < g.end(oh, g.H); ++h)
      for (int64_t w = g.begin(ow); w < g.end(ow, g.W); ++w) {
        const float v = x[((n * g.H + h) * g.W + w) * g.C + c];
        if (kKind == PoolKind::average)
          result += v;
        else if (v > result || isnan(v))  // once NaN, no comparison replaces it
          result = v;
      }
    if (kKind == PoolKind::average) result /= static_cast<float>(g.kernel * g.kernel);
    y[i] = result;
  }
}

__device__ bool holds(float value, float maximum) {
  return value == maximum || (isnan(value) && isnan(maximum));
}

/// Whether a pixel of window (oh, ow) before pixel (h, w), in row-major order, holds its maximum.
/// image points to channel c of the image's first pixel.
__device__ bool held_before(const float* image, float maximum, int64_t oh, int64_t ow, int64_t h,
                            int64_t w, const Windows& g) {
  for (int64_t i = g.begin(oh); i <= h; ++i)
    for (int64_t j = g.begin(ow); j < (i < h ? g.end(ow, g.W) : w); ++j)
      if (holds(image[(i * g.W + j) * g.C], maximum)) return true;
  return false;
}

/// Computes y'[n, oh, ow, c] for this thread's elements: x' at the window's first pixel that holds
/// its maximum, y.
__global__ void __launch_bounds__(kThreads)
    tangent_kernel(float* __restrict__ y_tangent, const float* __restrict__ x_tangent,
                   const float* __restrict__ x, const float* __restrict__ y, int64_t size,
                   Windows g, Divisor C, Divisor OW, Divisor OH) {
  for (int64_t i = first_element(); i < size; i += element_step()) {
    const auto [pixel, c] = C.divide(i);
    const auto [row, ow] = OW.divide(pixel);
    const auto [n, oh] = OH.divide(row);
    int64_t found = -1;
    for (int64_t h = g.begin(oh); h < g.end(oh, g.H); ++h)
      for (int64_t w = g.begin(ow); w < g.end(ow, g.W); ++w) {
        const int64_t at = ((n * g.H + h) * g.W + w) * g.C + c;
        if (found < 0 && holds(x[at], y[i])) found = at;
      }
    y_tangent[i] = found < 0 ? NAN : x_tangent[found];
  }
}

/// Computes dx[n, h, w, c] for this thread's elements. x and y are null for an average.
template <PoolKind kKind>
__global__ void __launch_bounds__(kThreads)
    backward_kernel(float* __restrict__ dx, const float* __restrict__ dy,
                    const float* __restrict__ x, const float* __restrict__ y, int64_t size,
                    Windows g, Divisor C, Divisor W, Divisor H, Divisor stride, bool accumulate) {
  const float area = static_cast<float>(g.kernel * g.kernel);
  for (int64_t i = first_element(); i < size; i += element_step()) {
    const auto [pixel, c] = C.divide(i);
    const auto [row, w] = W.divide(pixel);
    const auto [n, h] = H.divide(row);
    // Windows from the first that ends behind the pixel to the last that begins at it or before.
    const int64_t behind = g.padding - g.kernel + g.stride;
    const int64_t first_h = stride.quotient(max(h + behind, int64_t{0}));
    const int64_t first_w = stride.quotient(max(w + behind, int64_t{0}));
    const int64_t last_h = min(stride.quotient(h + g.padding), g.OH - 1);
    const int64_t last_w = min(stride.quotient(w + g.padding), g.OW - 1);
    float sum = accumulate ? dx[i] : 0.0f;
    for (int64_t oh = first_h; oh <= last_h; ++oh)
      for (int64_t ow = first_w; ow <= last_w; ++ow) {
        const int64_t out = ((n * g.OH + oh) * g.OW + ow) * g.C + c;
        if (kKind == PoolKind::average)
          sum += dy[out] / area;
        else if (holds(x[i], y[out]) &&
                 !held_before(x + n * g.H * g.W * g.C + c, y[out], oh, ow, h, w, g))
          sum += dy[out];
      }
    dx[i] = sum;
  }
}

void forward(const PoolForwardArgs& args, Context& context) {
  const Windows g(args.x, args.y, args.geometry);
  const int64_t size = args.y.size();
  const auto kernel = args.kind == PoolKind::max ? forward_kernel<PoolKind::max>
                                                 : forward_kernel<PoolKind::average>;
  launch(kernel, grid_for(size, kThreads), dim3(kThreads), 0, context, pointer<float>(args.y),
         pointer<float>(args.x), size, g, Divisor(g.C), Divisor(g.OW), Divisor(g.OH));
}

void backward(const PoolBackwardArgs& args, Context& context) {
  const Windows g(args.dx, args.dy, args.geometry);
  const int64_t size = args.dx.size();
  const auto kernel = args.kind == PoolKind::max ? backward_kernel<PoolKind::max>
                                                 : backward_kernel<PoolKind::average>;
  launch(kernel, grid_for(size, kThreads), dim3(kThreads), 0, context, pointer<float>(args.dx),
         pointer<float>(args.dy), pointer<float>(args.x), pointer<float>(args.y), size, g,
         Divisor(g.C), Divisor(g.W), Divisor(g.H), Divisor(g.stride),
         args.write == Write::accumulate);
}

void tangent(const MaxPoolTangentArgs& args, Context& context) {
  const Windows g(args.x, args.y, args.geometry);
  const int64_t size = args.y.size();
  launch(tangent_kernel, grid_for(size, kThreads), dim3(kThreads), 0, context,
         pointer<float>(args.y_tangent), pointer<float>(args.x_tangent), pointer<float>(args.x),
         pointer<float>(args.y), size, g, Divisor(g.C), Divisor(g.OW), Divisor(g.OH));
}

}  // namespace

void register_pool_1_plain(OpRegistry& registry) {
  registry.add<PoolForwardArgs>(
      {"plain", kDevice, [](const PoolForwardArgs& args) { return all_f32(args.x); }, forward});
  registry.add<PoolBackwardArgs>(
      {"plain", kDevice, [](const PoolBackwardArgs& args) { return all_f32(args.dx); }, backward});
  registry.add<MaxPoolTangentArgs>(
      {"plain", kDevice, [](const MaxPoolTangentArgs& args) { return all_f32(args.x); }, tangent});
}

}  // namespace topograd::TOPOGRAD_BACKEND
