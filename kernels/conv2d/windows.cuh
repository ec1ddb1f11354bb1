// A convolution as a matrix product, without the matrix: operands of the tile loop
// (kernels/gemm/tile.cuh) that gather what the matrix would hold from where it is.
//
// The matrix has a line for each output pixel, with what lies under the kernel there: KH KW I
// numbers, k = (kh KW + kw) I + i. Written out it would be KH KW times as large as x. A product
// needs it in tiles only, and a tile's numbers are one addition of offsets away:
//   address of (pixel m, tap k) = address of m's window + offset of k,
// zero where that is outside the image. A padded zero is multiplied like any number: an infinite or
// NaN weight reaches all outputs of its filter.
//
// From m to a pixel and from k to a tap is a division by an extent that is not known to the
// compiler: some twenty instructions each. IntDivisor makes it a multiplication and a shift; what a
// thread needs of a line is computed once (Row), what it needs of k once for all of its lines.
// Whether a tap of a window lies in its image is a bit, too, of two masks that a row keeps: one of
// the kernel's rows, one of its columns. If the channels come in fours, four neighbours share one
// tap, one test against the border and one load; else (an image's three colours) each has its own.
#pragma once

#include "kernels/conv2d/extents.h"
#include "kernels/core/divisor.h"
#include "kernels/gemm/tile.cuh"

namespace topograd::TOPOGRAD_BACKEND {

/// A pixel, perhaps outside its image.
struct Pixel {
  int flat;  // (n H + h) W + w
  int h, w;
};

/// Every stride-th pixel of N images H x W: rows x columns of them, from (h, w) on.
struct Lattice {
  int H, W;
  int stride, h, w;
  int count;  // N rows columns
  IntDivisor per_image, per_row;

  Lattice(int64_t N, int64_t H, int64_t W, int64_t rows, int64_t columns, int64_t stride, int64_t h,
          int64_t w)
      : H(static_cast<int>(H)),
        W(static_cast<int>(W)),
        stride(static_cast<int>(stride)),
        h(static_cast<int>(h)),
        w(static_cast<int>(w)),
        count(static_cast<int>(N * rows * columns)),
        per_image(rows * columns),
        per_row(columns),
        in_image_(static_cast<int>(rows * columns)),
        in_row_(static_cast<int>(columns)) {}

  /// Returns the m-th pixel; from `count` on one that no tap brings back into an image.
  __device__ Pixel pixel(int m) const {
    if (m >= count) return {0, kNowhere, kNowhere};
    const int n = per_image.quotient(m), rest = m - n * in_image_;
    const int row = per_row.quotient(rest), column = rest - row * in_row_;
    const int at_h = row * stride + h, at_w = column * stride + w;
    return {(n * H + at_h) * W + at_w, at_h, at_w};
  }

 private:
  static constexpr int kNowhere = -(1 << 30);
  int in_image_, in_row_;
};

/// Offset that a tap adds to a pixel.
struct Tap {
  int h, w, channel;
};

/// Most rows and columns of a kernel: bits of a mask.
constexpr int kMostTaps = 32;

/// Returns a mask of the taps r, of 32, with 0 <= at + step * r < extent; step is 1 or -1.
__device__ inline unsigned taps_within(int at, int step, int extent) {
  const int first = step > 0 ? -at : at - (extent - 1), last = step > 0 ? extent - 1 - at : at;
  if (last < 0 || first >= kMostTaps) return 0;
  const unsigned up_to_last = ~0U >> (kMostTaps - 1 - min(last, kMostTaps - 1));
  return up_to_last & ~0U << max(first, 0);
}

/// A kernel of KH x KW taps over C channels; `step` is 1, or -1 to pass it backwards.
struct Kernel {
  int C, depth;  // KH KW C
  int step;
  IntDivisor channels, across;

  Kernel(int64_t KH, int64_t KW, int64_t C, int step)
      : C(static_cast<int>(C)),
        depth(static_cast<int>(KH * KW * C)),
        step(step),
        channels(C),
        across(KW),
        KW_(static_cast<int>(KW)) {}

  __device__ Tap tap(int k) const {
    const int t = channels.quotient(k), row = across.quotient(t);
    return {step * row, step * (t - row * KW_), k - t * C};
  }

 private:
  int KW_;
};

/// Pixels and taps over a tensor [N, H, W, C].
struct Windows {
  const float* images;
  Lattice pixels;
  Kernel kernel;
  bool quads;  // whether a pixel's channels are made_of_quads

  Windows(const float* images, const Lattice& pixels, const Kernel& kernel)
      : images(images), pixels(pixels), kernel(kernel), quads(made_of_quads(images, kernel.C)) {}

  /// Returns n neighbouring channels of a pixel under a tap; zeros outside the image.
  template <int n>
  __device__ Floats<n> gather(const Pixel& pixel, const Tap& tap) const {
    const int h = pixel.h + tap.h, w = pixel.w + tap.w;
    // A negative number is a large one without its sign: one comparison for both borders.
    const bool inside = static_cast<unsigned>(h) < static_cast<unsigned>(pixels.H) &&
                        static_cast<unsigned>(w) < static_cast<unsigned>(pixels.W);
    if (!inside) return {};
    const int64_t at = pixel.flat + tap.h * pixels.W + tap.w;
    return *reinterpret_cast<const Floats<n>*>(images + at * kernel.C + tap.channel);
  }
};

/// The matrix of windows (im2col, never stored): a row for each pixel, k for each tap.
struct PixelsByTaps : Windows {
  using Windows::Windows;
  static constexpr bool kAlongK = true;
  struct Row {
    int64_t start;          // element where the pixel that the window begins at lies
    unsigned down, across;  // the kernel's rows and columns that are within the image
  };
  __device__ Row row(int m) const {
    const Pixel pixel = pixels.pixel(m);
    return {int64_t{pixel.flat} * kernel.C, taps_within(pixel.h, kernel.step, pixels.H),
            taps_within(pixel.w, kernel.step, pixels.W)};
  }
  template <bool kQuads>
  __device__ Quad load(const Row& row, int k) const {
    if constexpr (kQuads) {
      return k < kernel.depth ? under<4>(row, kernel.tap(k)) : Quad{};
    } else {
      Quad result{};
#pragma unroll
      for (int e = 0; e < 4; ++e)
        if (k + e < kernel.depth) result.v[e] = under<1>(row, kernel.tap(k + e)).v[0];
      return result;
    }
  }

 private:
  /// Returns n neighbouring channels of a window under a tap; zeros outside the image.
  template <int n>
  __device__ Floats<n> under(const Row& row, const Tap& tap) const {
    if ((row.down >> (kernel.step * tap.h) & row.across >> (kernel.step * tap.w) & 1) == 0)
      return {};
    const int offset = (tap.h * pixels.W + tap.w) * kernel.C + tap.channel;
    return *reinterpret_cast<const Floats<n>*>(images + row.start + offset);
  }
};

/// PixelsByTaps transposed: a row for each tap, k for each pixel. Rows after the last tap hold
/// arbitrary pixels, and their sums are not stored.
struct TapsByPixels : Windows {
  using Windows::Windows;
  static constexpr bool kAlongK = false;
  struct Row {
    int index;
    Tap first;
  };
  __device__ Row row(int index) const { return {index, kernel.tap(index)}; }
  template <bool kQuads>
  __device__ Quad load(const Row& row, int m) const {
    const Pixel pixel = pixels.pixel(m);
    if constexpr (kQuads) {
      return gather<4>(pixel, row.first);
    } else {
      Quad result;
#pragma unroll
      for (int e = 0; e < 4; ++e) result.v[e] = gather<1>(pixel, kernel.tap(row.index + e)).v[0];
      return result;
    }
  }
};

}  // namespace topograd::TOPOGRAD_BACKEND
