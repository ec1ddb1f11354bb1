// The extents of a convolution, by the letters of conv2d.h.
#pragma once

#include "kernels/conv2d/conv2d.h"

namespace topograd {

struct ConvExtents {
  int64_t N, H, W, I, OH, OW, O, KH, KW;
  PerAxis stride, padding, dilation;
  int64_t channels, filters;  ///< of one group: I / G and O / G

  ConvExtents(const Shape& y, const Shape& x, const Shape& w, const ConvGeometry& geometry)
      : N(x[0]),
        H(x[1]),
        W(x[2]),
        I(x[3]),
        OH(y[1]),
        OW(y[2]),
        O(w[0]),
        KH(w[1]),
        KW(w[2]),
        stride(geometry.stride),
        padding(geometry.padding),
        dilation(geometry.dilation),
        channels(w[3]),
        filters(w[0] / geometry.groups) {}
};

}  // namespace topograd
