// Which pixels along one axis an output's pixel reads, and with which weights: shared by all
// implementations of resize.
#pragma once

#include "kernels/resize/resize.h"

namespace topograd {

/// The two neighbouring pixels that a position lies between; the same one twice where it lies on a
/// pixel for which there is no next.
struct Taps {
  int64_t first, second;
  double share;  ///< weight of the second; the first has the rest
  /// Weight of pixel i.
  constexpr double weight(int64_t i) const {
    return (i == first ? 1 - share : 0.0) + (i == second ? share : 0.0);
  }
};

/// One axis. constexpr, so that kernels may call it.
struct ResizeAxis {
  int64_t pixels, outputs;  // extents of input and output
  double step;              // pixels of the input per pixel of the output
  ResizeKind kind;
  bool align_corners;

  ResizeAxis(int64_t pixels_, int64_t outputs_, double scale, const ResizeGeometry& g)
      : pixels(pixels_), outputs(outputs_), kind(g.kind), align_corners(g.align_corners) {
    if (align_corners)
      step = outputs > 1 ? static_cast<double>(pixels - 1) / static_cast<double>(outputs - 1) : 0;
    else if (kind == ResizeKind::bilinear && pixels == outputs)
      step = 1;
    else
      step = scale > 0 ? 1 / scale : static_cast<double>(pixels) / static_cast<double>(outputs);
  }

  constexpr Taps taps(int64_t o) const {
    if (kind == ResizeKind::nearest) {
      const auto source = static_cast<int64_t>(static_cast<float>(o) * static_cast<float>(step));
      const int64_t i = source < pixels ? source : pixels - 1;
      return {i, i, 0};
    }
    double position = static_cast<double>(o) * step;
    if (!align_corners) position += 0.5 * step - 0.5;
    if (position < 0) position = 0;
    auto i = static_cast<int64_t>(position);
    if (i > pixels - 1) i = pixels - 1;
    const double share = position - static_cast<double>(i);
    return {i, i + 1 < pixels ? i + 1 : i, share < 1 ? share : 1};
  }

  /// Outputs [first, end) that read pixel i.
  struct Readers {
    int64_t first, end;
  };
  constexpr Readers readers(int64_t i) const {
    // A position moves by `step` per output, so these outputs lie around i / step; the last pixel
    // is read by all behind it.
    int64_t o = 0, end = outputs;
    if (step > 0) {
      const double low = static_cast<double>(i - 1) / step - 2;
      o = low > 0 ? static_cast<int64_t>(low) : 0;
      const double high = static_cast<double>(i + 2) / step + 2;
      if (i + 1 < pixels && high < static_cast<double>(outputs)) end = static_cast<int64_t>(high);
    }
    while (o < end && taps(o).weight(i) == 0) ++o;
    while (end > o && taps(end - 1).weight(i) == 0) --end;
    return {o, end};
  }
};

/// Both axes of an image.
struct ResizeAxes {
  ResizeAxis h, w;
  ResizeAxes(const Tensor& image, const Tensor& resized, const ResizeGeometry& g)
      : h(image.dim(1), resized.dim(1), g.scale_h, g),
        w(image.dim(2), resized.dim(2), g.scale_w, g) {}
};

}  // namespace topograd
