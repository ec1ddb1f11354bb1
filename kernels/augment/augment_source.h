// Source of each pixel of the augmented batch, for the kernels of this folder.
#pragma once

#include "kernels/augment/augment.h"
#include "kernels/core/launch.h"

namespace topograd::TOPOGRAD_BACKEND {

constexpr int64_t kMaxChannels = 16;
constexpr int64_t kPixelValues = 256;

/// Mean and standard deviation of every channel: a kernel's argument, so passed by value.
struct Statistics {
  double mean[kMaxChannels], std[kMaxChannels];
  explicit Statistics(const AugmentArgs& args) {
    std::copy_n(args.mean, args.y.dim(3), mean);
    std::copy_n(args.std, args.y.dim(3), std);
  }
};

/// Returns the normalised value of a pixel p, formed in double and rounded once: no operation here
/// can be fused with another, so the bits are those of every other implementation.
__device__ inline float normalised(double in_units, int64_t c, const Statistics& statistics) {
  return static_cast<float>((in_units - statistics.mean[c]) / statistics.std[c]);
}
__device__ inline float normalised(uint8_t p, int64_t c, const Statistics& statistics) {
  return normalised(static_cast<double>(p) / 255.0, c, statistics);
}
__device__ inline float normalised(float p, int64_t c, const Statistics& statistics) {
  return normalised(static_cast<double>(p), c, statistics);
}

/// Stored image that becomes an image of the batch, with its shift and flip.
template <class Pixel>
struct Placement {
  const Pixel* image;   // null where there is no such image
  int64_t down, right;  // offset from a pixel of the crop to its source
  bool flip;
};

template <class Pixel>  // uint8_t or float
struct Source {
  const Pixel* images;
  const int32_t *indices, *offsets, *flips;  // the last two may be null
  int64_t total, H, W, C, padding;
  explicit Source(const AugmentArgs& args)
      : images(pointer<Pixel>(args.images)),
        indices(pointer<int32_t>(args.indices)),
        offsets(pointer<int32_t>(args.offsets)),
        flips(pointer<int32_t>(args.flips)),
        total(args.images.dim(0)),
        H(args.y.dim(1)),
        W(args.y.dim(2)),
        C(args.y.dim(3)),
        padding(args.padding) {}

  __device__ Placement<Pixel> placement(int64_t n) const {
    const int64_t index = indices[n];
    const bool there = 0 <= index && index < total;
    return {there ? images + index * H * W * C : nullptr, offsets ? offsets[2 * n] - padding : 0,
            offsets ? offsets[2 * n + 1] - padding : 0, flips && flips[n] != 0};
  }

  /// Returns the stored value that lands at (h, w, c); 0 outside the image. `from.image` is not
  /// null.
  __device__ Pixel pixel(const Placement<Pixel>& from, int64_t h, int64_t w, int64_t c) const {
    h += from.down;
    w = (from.flip ? W - 1 - w : w) + from.right;
    return h < 0 || h >= H || w < 0 || w >= W ? Pixel{} : from.image[(h * W + w) * C + c];
  }
};

inline bool supports_augment(const AugmentArgs& args) {
  return all_f32(args.y) && args.images.dtype() != DType::f64 && args.y.dim(3) <= kMaxChannels;
}

}  // namespace topograd::TOPOGRAD_BACKEND
