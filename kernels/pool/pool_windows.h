// The windows of a pooling operation and their pixels, in the order that all its implementations
// share.
#pragma once

#include <algorithm>

#include "kernels/pool/pool.h"

namespace topograd {

/// Pixels [h_begin, h_end) x [w_begin, w_end) of image n: a window cut to the image.
struct Window {
  int64_t n, h_begin, h_end, w_begin, w_end;
};

/// Calls f(output pixel's first element, window) for every window, in order.
template <class F>
void for_each_window(const Shape& image, const Shape& pooled, const PoolGeometry& g, F&& f) {
  int64_t out = 0;
  for (int64_t n = 0; n < pooled[0]; ++n)
    for (int64_t oh = 0; oh < pooled[1]; ++oh)
      for (int64_t ow = 0; ow < pooled[2]; ++ow, out += pooled[3]) {
        const int64_t h = oh * g.stride - g.padding;
        const int64_t w = ow * g.stride - g.padding;
        f(out, Window{n, std::max<int64_t>(h, 0), std::min(h + g.kernel, image[1]),
                      std::max<int64_t>(w, 0), std::min(w + g.kernel, image[2])});
      }
}

}  // namespace topograd
