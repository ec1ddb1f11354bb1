// Pooling over windows, forward and backward, one thread per element of the output.
//
// Forward, thread i owns elements i, i + step, ... of y, and walks its window. Backward, it owns
// elements of dx, and walks the windows that contain its pixel (at most ceil(kernel / stride) along
// each axis): a gather. The scatter of the CPU's implementations, windows that add to their pixels,
// would need atomics where windows overlap, and its sums would come out in a different order every
// time. These come in the order of the windows, as on the CPU.
//   max:     a window gives its gradient to the first of its pixels that holds the maximum. A pixel
//            that does not hold it is done after one comparison; one that does looks through the
//            pixels of the window that come before it.
//   average: every window gives dy over its pixels.
// Channels are innermost: the lanes of a warp walk the windows of 32 neighbouring channels in step,
// and every load is one line.
// Windows whose extent varies (adaptive ones, averages over what exists), or with gaps (dilation),
// go through the same kernels, made for WindowAxes: some 100 instructions of division more.
// The tangent of a maximum, forward too: thread i looks for the pixel that holds y's element i.
// Traffic, if overlapping reads come from the cache: forward 4 bytes per element of x and of y;
// backward 4 per element of dy and of dx, and for a maximum of x and of y. Work: kernel^2
// comparisons or additions per output; index arithmetic of some 60 instructions. Memory bounds 2x2
// windows at stride 2; 3x3 at stride 1 is bounded by its nine loads per output (predicted).
#include <type_traits>

#include "kernels/core/divisor.h"
#include "kernels/core/launch.h"
#include "kernels/pool/pool_windows.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;

/// One axis of windows without dilation, none of them adaptive: what WindowAxis tells of it, with a
/// division by multiplication.
struct PlainAxis {
  int64_t pixels, windows, kernel, stride, padding;
  Divisor by_stride;
  explicit PlainAxis(const WindowAxis& axis)
      : pixels(axis.pixels),
        windows(axis.windows),
        kernel(axis.kernel),
        stride(axis.stride),
        padding(axis.padding),
        by_stride(axis.stride) {}

  __device__ int64_t begin(int64_t o) const { return max(o * stride - padding, int64_t{0}); }
  __device__ int64_t end(int64_t o) const { return min(o * stride - padding + kernel, pixels); }
  __device__ static constexpr int64_t step() { return 1; }
  /// Windows from the first that ends behind the pixel to the last that begins at it or before.
  __device__ int64_t first_window(int64_t i) const {
    return by_stride.quotient(max(i + padding - kernel + stride, int64_t{0}));
  }
  __device__ int64_t last_window(int64_t i) const {
    return min(by_stride.quotient(i + padding), windows - 1);
  }
  __device__ static constexpr bool holds(int64_t, int64_t) { return true; }
};

/// Windows of both axes of that kind, whose averages all divide by the kernel.
struct PlainWindows {
  PlainAxis h, w;
  explicit PlainWindows(const WindowAxes& axes) : h(axes.h), w(axes.w) {}
  __device__ int64_t area(int64_t, int64_t) const { return h.kernel * w.kernel; }
};

bool are_plain(const PoolGeometry& g, PoolKind kind) {
  const bool plain = !g.adaptive && g.dilation == PerAxis(1);
  return plain &&
         (kind == PoolKind::max || (g.divisor == 0 && g.count_include_pad && !g.ceil_mode));
}

/// Computes y[n, oh, ow, c] for this thread's elements.
template <PoolKind kKind, class Windows>
__global__ void __launch_bounds__(kThreads)
    forward_kernel(float* __restrict__ y, const float* __restrict__ x, int64_t size, Windows g,
                   int64_t channels, Divisor C, Divisor OW, Divisor OH) {
  for (int64_t i = first_element(); i < size; i += element_step()) {
    const auto [pixel, c] = C.divide(i);
    const auto [row, ow] = OW.divide(pixel);
    const auto [n, oh] = OH.divide(row);
    float result = kKind == PoolKind::max ? -INFINITY : 0.0f;
    for (int64_t h = g.h.begin(oh); h < g.h.end(oh); h += g.h.step())
      for (int64_t w = g.w.begin(ow); w < g.w.end(ow); w += g.w.step()) {
        const float v = x[((n * g.h.pixels + h) * g.w.pixels + w) * channels + c];
        if (kKind == PoolKind::average)
          result += v;
        else if (v > result || isnan(v))  // once NaN, no comparison replaces it
          result = v;
      }
    if (kKind == PoolKind::average) result /= static_cast<float>(g.area(oh, ow));
    y[i] = result;
  }
}

__device__ bool holds(float value, float maximum) {
  return value == maximum || (isnan(value) && isnan(maximum));
}

/// Whether a pixel of window (oh, ow) before pixel (h, w), in row-major order, holds its maximum.
/// image points to channel c of the image's first pixel.
template <class Windows>
__device__ bool held_before(const float* image, float maximum, int64_t oh, int64_t ow, int64_t h,
                            int64_t w, int64_t channels, const Windows& g) {
  for (int64_t i = g.h.begin(oh); i <= h; i += g.h.step())
    for (int64_t j = g.w.begin(ow); j < (i < h ? g.w.end(ow) : w); j += g.w.step())
      if (holds(image[(i * g.w.pixels + j) * channels], maximum)) return true;
  return false;
}

/// Computes y'[n, oh, ow, c] for this thread's elements: x' at the window's first pixel that holds
/// its maximum, y.
template <class Windows>
__global__ void __launch_bounds__(kThreads)
    tangent_kernel(float* __restrict__ y_tangent, const float* __restrict__ x_tangent,
                   const float* __restrict__ x, const float* __restrict__ y, int64_t size,
                   Windows g, int64_t channels, Divisor C, Divisor OW, Divisor OH) {
  for (int64_t i = first_element(); i < size; i += element_step()) {
    const auto [pixel, c] = C.divide(i);
    const auto [row, ow] = OW.divide(pixel);
    const auto [n, oh] = OH.divide(row);
    int64_t found = -1;
    for (int64_t h = g.h.begin(oh); h < g.h.end(oh); h += g.h.step())
      for (int64_t w = g.w.begin(ow); w < g.w.end(ow); w += g.w.step()) {
        const int64_t at = ((n * g.h.pixels + h) * g.w.pixels + w) * channels + c;
        if (found < 0 && holds(x[at], y[i])) found = at;
      }
    y_tangent[i] = found < 0 ? NAN : x_tangent[found];
  }
}

/// Computes dx[n, h, w, c] for this thread's elements. x and y are null for an average.
template <PoolKind kKind, class Windows>
__global__ void __launch_bounds__(kThreads)
    backward_kernel(float* __restrict__ dx, const float* __restrict__ dy,
                    const float* __restrict__ x, const float* __restrict__ y, int64_t size,
                    Windows g, int64_t channels, Divisor C, Divisor W, Divisor H, bool accumulate) {
  for (int64_t i = first_element(); i < size; i += element_step()) {
    const auto [pixel, c] = C.divide(i);
    const auto [row, w] = W.divide(pixel);
    const auto [n, h] = H.divide(row);
    const int64_t last_h = g.h.last_window(h), first_w = g.w.first_window(w);
    const int64_t last_w = g.w.last_window(w);
    float sum = accumulate ? dx[i] : 0.0f;
    for (int64_t oh = g.h.first_window(h); oh <= last_h; ++oh)
      for (int64_t ow = first_w; ow <= last_w; ++ow) {
        if (!g.h.holds(oh, h) || !g.w.holds(ow, w)) continue;
        const int64_t out = ((n * g.h.windows + oh) * g.w.windows + ow) * channels + c;
        if (kKind == PoolKind::average)
          sum += dy[out] / static_cast<float>(g.area(oh, ow));
        else if (holds(x[i], y[out]) && !held_before(x + n * g.h.pixels * g.w.pixels * channels + c,
                                                     y[out], oh, ow, h, w, channels, g))
          sum += dy[out];
      }
    dx[i] = sum;
  }
}

/// Calls run(windows) with the windows of an operation, in the simplest form that has them all.
template <class Run>
void with_windows(const Tensor& image, const Tensor& pooled, const PoolGeometry& geometry,
                  PoolKind kind, const Run& run) {
  const WindowAxes axes(image.shape(), pooled.shape(), geometry);
  if (are_plain(geometry, kind))
    run(PlainWindows(axes));
  else
    run(axes);
}

void forward(const PoolForwardArgs& args, Context& context) {
  const int64_t size = args.y.size(), C = args.y.dim(3);
  with_windows(args.x, args.y, args.geometry, args.kind, [&](const auto& g) {
    using Windows = std::decay_t<decltype(g)>;
    const auto kernel = args.kind == PoolKind::max ? forward_kernel<PoolKind::max, Windows>
                                                   : forward_kernel<PoolKind::average, Windows>;
    launch(kernel, grid_for(size, kThreads), dim3(kThreads), 0, context, pointer<float>(args.y),
           pointer<float>(args.x), size, g, C, Divisor(C), Divisor(g.w.windows),
           Divisor(g.h.windows));
  });
}

void backward(const PoolBackwardArgs& args, Context& context) {
  const int64_t size = args.dx.size(), C = args.dx.dim(3);
  with_windows(args.dx, args.dy, args.geometry, args.kind, [&](const auto& g) {
    using Windows = std::decay_t<decltype(g)>;
    const auto kernel = args.kind == PoolKind::max ? backward_kernel<PoolKind::max, Windows>
                                                   : backward_kernel<PoolKind::average, Windows>;
    launch(kernel, grid_for(size, kThreads), dim3(kThreads), 0, context, pointer<float>(args.dx),
           pointer<float>(args.dy), pointer<float>(args.x), pointer<float>(args.y), size, g, C,
           Divisor(C), Divisor(g.w.pixels), Divisor(g.h.pixels), args.write == Write::accumulate);
  });
}

void tangent(const MaxPoolTangentArgs& args, Context& context) {
  const int64_t size = args.y.size(), C = args.y.dim(3);
  with_windows(args.x, args.y, args.geometry, PoolKind::max, [&](const auto& g) {
    launch(tangent_kernel<std::decay_t<decltype(g)>>, grid_for(size, kThreads), dim3(kThreads), 0,
           context, pointer<float>(args.y_tangent), pointer<float>(args.x_tangent),
           pointer<float>(args.x), pointer<float>(args.y), size, g, C, Divisor(C),
           Divisor(g.w.windows), Divisor(g.h.windows));
  });
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
