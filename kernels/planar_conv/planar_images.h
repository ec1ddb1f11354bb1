// Images in bf16, as a GPU's tensor cores read them.
#pragma once

#include "kernels/core/op.h"

namespace topograd {

/// N images of H x W x C, laid out [N][parts][planes][H + 2][W + 2][8]: planes of eight channels,
/// each with a border of zeros, so that a 3x3 window never leaves its image. A pixel's eight
/// channels are 16 bytes, one row of what ldmatrix loads, and a filter's tap is a fixed distance.
/// Channels are filled up with zeros to a multiple of 16.
///
/// parts: 1, numbers rounded to bf16; 2, each number as the sum of two bf16 (bf16x3).
struct PlanarImages {
  Tensor data{};  ///< bf16, flat; undefined: no images
  int64_t N = 0, H = 0, W = 0, C = 0;
  int parts = 1;

  static constexpr int64_t kChannels = 8;  ///< of a plane

  /// Returns images of zeros, in memory of their own.
  static PlanarImages zeros(const Shape& images, int parts, Device device) {
    PlanarImages result{
        .N = images[0], .H = images[1], .W = images[2], .C = images[3], .parts = parts};
    result.data = Tensor::zeros({result.size()}, DType::bf16, device);
    return result;
  }

  bool defined() const { return data.defined(); }
  int64_t planes() const { return (C + 15) / 16 * 2; }
  // Distances in pixels of a plane, 16 bytes: from one row, plane or image to the next.
  int64_t row() const { return W + 2; }
  int64_t plane() const { return (H + 2) * row(); }
  int64_t image() const { return parts * planes() * plane(); }
  /// Number of elements.
  int64_t size() const { return N * image() * kChannels; }
  /// Element where a number lies.
  int64_t at(int64_t n, int64_t part, int64_t h, int64_t w, int64_t c) const {
    const int64_t in_plane = (h + 1) * row() + w + 1;
    const int64_t plane_of = (n * parts + part) * planes() + c / kChannels;
    return (plane_of * plane() + in_plane) * kChannels + c % kChannels;
  }

  Shape shape() const { return {N, H, W, C}; }
  bool same_layout(const PlanarImages& other) const {
    return shape() == other.shape() && parts == other.parts;
  }
  /// Returns the n images from `first` on.
  PlanarImages slice(int64_t first, int64_t n) const {
    PlanarImages some = *this;
    some.N = n;
    some.data = data.slice(first * image() * kChannels, {some.size()});
    return some;
  }
};

}  // namespace topograd
