// Extents of a convolution by Winograd's F(4x4, 3x3), and how it is cut into blocks of tiles.
#pragma once

#include <algorithm>
#include <cstdint>

namespace topograd {

/// Extents of a tile of outputs and of the patch of inputs it depends on.
constexpr int kTile = 4, kPatch = 6, kPoints = kPatch * kPatch;

/// A convolution of padding 1: N images, H x W, C channels in, K out.
struct WinogradShape {
  int64_t N, H, W, C, K;
  int64_t tile_rows() const { return (H + kTile - 1) / kTile; }
  int64_t tile_columns() const { return (W + kTile - 1) / kTile; }
  int64_t tiles() const { return N * tile_rows() * tile_columns(); }
  /// Tiles that go through the three steps together: enough to pay for reading all of U, few enough
  /// for V and M to stay in a second-level cache.
  int64_t block() const { return std::clamp<int64_t>((C + 15) / 16 * 16, 16, 64); }
  // The 36 matrices of V and M lie a little further apart than they are long: at a power of two
  // they would share the same few sets of the cache.
  int64_t v_stride() const { return block() * C + 16; }
  int64_t m_stride() const { return block() * K + 16; }
};

}  // namespace topograd
