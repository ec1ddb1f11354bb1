// The windows of a pooling operation and their pixels, in the order that all its implementations
// share.
#pragma once

#include <algorithm>

#include "kernels/pool/pool.h"

namespace topograd {

/// Windows along one axis of an image. constexpr, so that kernels may call it.
struct WindowAxis {
  int64_t pixels, windows;  // extents of the image and of what it is pooled to
  int64_t kernel, stride, padding, dilation;
  bool adaptive;

  /// Window o holds the pixels begin(o), begin(o) + dilation, ... below end(o).
  constexpr int64_t begin(int64_t o) const {
    if (adaptive) return o * pixels / windows;
    const int64_t start = o * stride - padding;
    return start >= 0 ? start : start + (dilation - 1 - start) / dilation * dilation;
  }
  constexpr int64_t end(int64_t o) const {
    if (adaptive) return ((o + 1) * pixels + windows - 1) / windows;
    const int64_t stop = o * stride - padding + (kernel - 1) * dilation + 1;
    return stop < pixels ? stop : pixels;
  }
  constexpr int64_t step() const { return dilation; }
  /// Pixels of window o within the image.
  constexpr int64_t count(int64_t o) const {
    const int64_t room = end(o) - begin(o) + dilation - 1;
    return room > 0 ? room / dilation : 0;
  }
  /// Pixels of window o within the padded image, where dilation is 1.
  constexpr int64_t padded_count(int64_t o) const {
    const int64_t left = pixels + 2 * padding - o * stride;
    return kernel < left ? kernel : left;
  }
  /// First and last of the windows that may hold pixel i; holds() tells which of them do.
  constexpr int64_t first_window(int64_t i) const {
    if (adaptive) return i * windows / pixels;
    const int64_t behind = i + padding - (kernel - 1) * dilation + stride - 1;
    return behind > 0 ? behind / stride : 0;
  }
  constexpr int64_t last_window(int64_t i) const {
    const int64_t last =
        adaptive ? ((i + 1) * windows + pixels - 1) / pixels - 1 : (i + padding) / stride;
    return last < windows ? last : windows - 1;
  }
  constexpr bool holds(int64_t o, int64_t i) const {
    return adaptive || dilation == 1 || (i + padding - o * stride) % dilation == 0;
  }
};

/// Windows of both axes, and what an average divides by.
struct WindowAxes {
  WindowAxis h, w;
  int64_t divisor;
  bool padding_counts;

  WindowAxes(const Shape& image, const Shape& pooled, const PoolGeometry& g)
      : h{image[1], pooled[1], g.kernel.h, g.stride.h, g.padding.h, g.dilation.h, g.adaptive},
        w{image[2], pooled[2], g.kernel.w, g.stride.w, g.padding.w, g.dilation.w, g.adaptive},
        divisor(g.adaptive ? 0 : g.divisor),
        padding_counts(g.count_include_pad && !g.adaptive) {
    if (g.adaptive) h.dilation = w.dilation = 1;
  }
  /// Number that the average over window (oh, ow) divides by.
  constexpr int64_t area(int64_t oh, int64_t ow) const {
    if (divisor != 0) return divisor;
    return padding_counts ? h.padded_count(oh) * w.padded_count(ow) : h.count(oh) * w.count(ow);
  }
};

/// Pixels of image n: h_begin, h_begin + h_step, ... below h_end, w alike.
struct Window {
  int64_t n, h_begin, h_end, h_step, w_begin, w_end, w_step;
  int64_t area;  ///< what an average divides by
};

/// Calls f(output pixel's first element, window) for every window, in order.
template <class F>
void for_each_window(const Shape& image, const Shape& pooled, const PoolGeometry& g, F&& f) {
  const WindowAxes axes(image, pooled, g);
  int64_t out = 0;
  for (int64_t n = 0; n < pooled[0]; ++n)
    for (int64_t oh = 0; oh < pooled[1]; ++oh)
      for (int64_t ow = 0; ow < pooled[2]; ++ow, out += pooled[3])
        f(out, Window{n, axes.h.begin(oh), axes.h.end(oh), axes.h.dilation, axes.w.begin(ow),
                      axes.w.end(ow), axes.w.dilation, axes.area(oh, ow)});
}

}  // namespace topograd
