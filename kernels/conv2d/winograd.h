// 3x3 convolutions of stride 1 and padding 1 by Winograd's minimal filtering F(4x4, 3x3), for the
// implementations of conv2d and fused_conv that use it. kernels/conv2d/winograd.cpp explains it.
#pragma once

#include <algorithm>
#include <cstdint>

#include "kernels/conv2d/conv2d.h"

namespace topograd {

/// Extents of a tile of outputs and of the patch of inputs it depends on.
constexpr int kTile = 4, kPatch = 6, kPoints = kPatch * kPatch;

/// N images, H x W, C channels in, K out: both multiples of 16.
struct WinogradShape {
  int64_t N, H, W, C, K;

  int64_t tile_rows() const { return (H + kTile - 1) / kTile; }
  int64_t tile_columns() const { return (W + kTile - 1) / kTile; }
  int64_t tiles() const { return N * tile_rows() * tile_columns(); }
  /// Tiles that go through the three steps together, a multiple of 8: enough to pay for reading all
  /// of U, few enough for V and M to stay in the first-level cache (16 channels) or the second.
  int64_t block() const { return C == 16 ? 8 : std::min<int64_t>(C, 64) / 8 * 8; }
  /// Input channels that lie side by side in V: a register block of the products works through
  /// them with addresses known to the compiler.
  int64_t channel_block() const { return C % 64 == 0 ? 64 : C % 32 == 0 ? 32 : 16; }
  // The 36 matrices of V and M lie a little further apart than they are long: at a power of two
  // they would share the same few sets of the cache.
  int64_t v_stride() const { return block() * C + 16; }
  int64_t m_stride() const { return block() * K + 16; }
  /// Floats of scratch memory.
  int64_t scratch_size() const { return kPoints * (v_stride() + m_stride()); }
  /// Floats of the transformed filters, U.
  int64_t filters_size() const { return kPoints * C * K; }
};

/// Last step: y = max(sums + bias + residual, 0), without the terms that are null and, unless
/// `relu`, without the maximum. NaN stays NaN.
struct WinogradEpilogue {
  const float* bias = nullptr;      ///< [K]
  const float* residual = nullptr;  ///< like y, or y itself
  bool relu = false;
};

/// Whether the algorithm applies to x [N, H, W, C] and w [O, 3, 3, I]: stride 1, padding 1, f32,
/// whole vectors of channels on both sides, and images no smaller than a tile, below which most of
/// a tile lies outside.
bool winograd_fits(const Tensor& x, const Tensor& w, const ConvGeometry& geometry);

/// Writes U[p][c][k] of the filters w[O][3][3][I] for the forward pass: c is I, k is O.
void winograd_pack_forward(float* u, const float* w, int64_t O, int64_t I);
/// Writes U[p][c][k] for the gradient of the input: c is O, k is I, and the taps go from the last
/// to the first.
void winograd_pack_backward(float* u, const float* w, int64_t O, int64_t I);

/// Writes y [N, H, W, K] from x [N, H, W, C]. scratch: scratch_size() floats, 64-byte aligned.
void winograd_convolve(float* y, const float* x, const float* u, const WinogradEpilogue& epilogue,
                       const WinogradShape& shape, float* scratch);

}  // namespace topograd
