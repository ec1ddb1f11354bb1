// Convolution for inference in reduced precision, on a processor with a tile unit (Intel AMX).
#pragma once

#include "kernels/conv2d/conv2d.h"
#include "kernels/tile_conv/tiled_images.h"

namespace topograd {

/// y = max(conv2d(x, w) + bias + residual, 0) on images of bf16 in one part or two (bf16x3), as
/// fused_conv on plain ones. Products are of bf16: x's parts, and w rounded to as many; of two
/// parts the product of the smaller ones is left out. Sums are f32 (an implementation may round
/// each to zero where it is denormal), and y is rounded to its parts once.
///
/// A window's row is read in pieces of 32 numbers, the last of which reaches past it: numbers
/// there count nothing, but a NaN or an infinity does, up to a pixel further than in theory.
struct TileConvArgs {
  static constexpr std::string_view kOp = "tile_conv";
  TiledImages y;           ///< [N, OH, OW, O], border of zeros
  TiledImages x;           ///< [N, H, W, I], as many parts
  Tensor w;                ///< f32 [O, KH, KW, I]
  Tensor bias{};           ///< f32 [O], or undefined
  TiledImages residual{};  ///< like y, or y itself, or undefined
  ConvGeometry geometry{};
  bool relu = false;
  uint64_t weights_version = 0;  ///< as in conv2d.h, of w and bias
  void check() const;
};
inline void tile_conv(const TileConvArgs& args, Context& context) {
  run_op(args, context);
}

/// Whether tile_conv takes such a convolution at all: one group, no dilation, one stride both ways,
/// padding up to 1, filters in multiples of 16.
bool tile_conv_fits(const Shape& w, const ConvGeometry& geometry);

/// Whether this processor has a tile unit, and the operating system grants its use.
bool has_tile_unit();

}  // namespace topograd
