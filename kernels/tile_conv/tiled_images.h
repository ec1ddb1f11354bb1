// Images in bf16, as a processor's tile unit reads them.
#pragma once

#include <algorithm>

#include "kernels/core/op.h"

namespace topograd {

/// N images of H x W x C, laid out [groups][parts][H + 2][W + 2][side][C]: with a border of zeros,
/// so that a 3x3 window never leaves its image; images narrower than a tile of 16 rows side by
/// side, so that 16 neighbours in memory are 16 outputs of one operation.
///
/// parts: 1, numbers rounded to bf16; 2, each number as the sum of two bf16 (bf16x3).
struct TiledImages {
  Tensor data{};  ///< bf16, flat; undefined: no images
  int64_t N = 0, H = 0, W = 0, C = 0;
  int parts = 1;

  static constexpr int64_t kTileRows = 16, kTileColumns = 32;

  /// Returns images of zeros, in memory of their own.
  static TiledImages zeros(int64_t N, int64_t H, int64_t W, int64_t C, int parts) {
    TiledImages images{.N = N, .H = H, .W = W, .C = C, .parts = parts};
    images.data = Tensor::zeros({images.size()}, DType::bf16);
    return images;
  }

  bool defined() const { return data.defined(); }
  /// Number of images side by side. A column of a tile must not reach into a neighbour: with
  /// channels that do not fill the tile's columns each image is alone.
  int64_t side() const { return C % kTileColumns == 0 ? std::max<int64_t>(1, kTileRows / W) : 1; }
  int64_t groups() const { return (N + side() - 1) / side(); }
  // Distances in elements from one pixel, row, part or group to the next.
  int64_t pixel() const { return side() * C; }
  int64_t row() const { return (W + 2) * pixel(); }
  int64_t part() const { return (H + 2) * row(); }
  int64_t group() const { return parts * part(); }
  /// Offset of pixel (0, 0) of image n.
  int64_t image(int64_t n) const { return n / side() * group() + row() + pixel() + n % side() * C; }
  /// Number of elements; a tile may read a little past the last image.
  int64_t size() const { return groups() * group() + 2 * kTileColumns; }

  Bf16* at(int64_t offset) const { return data.data<Bf16>() + offset; }
  /// Returns the first n of the images from `first` on, a multiple of side().
  TiledImages slice(int64_t first, int64_t n) const {
    TiledImages part = *this;
    part.N = n;
    part.data = data.slice(first / side() * group(), {part.size()});
    return part;
  }
  bool same_layout(const TiledImages& other) const {
    return N == other.N && H == other.H && W == other.W && C == other.C && parts == other.parts;
  }
};

/// y = x, [N, H, W, C] f32 rounded to y's parts. y's border is zeros already.
struct TileImagesArgs {
  static constexpr std::string_view kOp = "tile_images";
  TiledImages y;
  Tensor x;
  void check() const;
};
inline void tile_images(const TileImagesArgs& args, Context& context) {
  run_op(args, context);
}

/// y = x, [N, H, W, C] f32, the sum of x's parts.
struct UntileImagesArgs {
  static constexpr std::string_view kOp = "untile_images";
  Tensor y;
  TiledImages x;
  void check() const;
};
inline void untile_images(const UntileImagesArgs& args, Context& context) {
  run_op(args, context);
}

}  // namespace topograd
