// The part of the tile convolution that is compiled for processors with AMX. Plain structures and
// functions alone: an inline function from here could be the copy that other processors get.
#pragma once

#include <cstdint>

namespace topograd::amx {

/// A tile of outputs: up to 16 of them, neighbours in memory, and 16 filters.
struct Tile {
  const uint16_t* x;         ///< first number of the first output's window
  uint16_t* y;               ///< first output
  const uint16_t* residual;  ///< added to the first output; or null
};

/// A step of the sum: 32 numbers of a window.
struct Step {
  int64_t x;      ///< their offset from the window's first number
  int64_t w;      ///< their offset in a filter
  int64_t count;  ///< how many of them count; the others' filters are zeros
};

/// A convolution as products of tiles. Distances are in elements.
struct Conv {
  const Tile* tiles;  ///< tile_count of them, a multiple of 4
  int64_t tile_count;
  const Step* steps;
  int64_t step_count;
  const uint16_t* filters;  ///< packed
  const float* bias;
  int64_t filter_count;    ///< a multiple of 16
  int rows;                ///< outputs in a tile
  int64_t x_row;           ///< distance between windows of neighbouring outputs
  int64_t y_row;           ///< distance between neighbouring outputs
  int64_t x_part, y_part;  ///< distance from the first part to the second
  int parts;
  bool relu;
};

constexpr int64_t kTileSize = 512;  // numbers in 16 rows of 32

/// Returns the number of elements that pack() writes.
int64_t packed_size(int64_t filters, int64_t steps, int parts);

/// Packs filters w [filters][filter_size] as tiles [block of 1 or 2
/// tiles][step][part][tile][row][16][2]: a row holds two of a step's numbers for 16 filters.
void pack(uint16_t* packed, const float* w, int64_t filters, int64_t filter_size, const Step* steps,
          int64_t step_count, int parts);

void convolve(const Conv& conv);

/// Rounds `count` numbers to bf16 in one part or two; join() adds the parts up again.
void split(uint16_t* hi, uint16_t* lo, const float* x, int64_t count, int parts);
void join(float* y, const uint16_t* hi, const uint16_t* lo, int64_t count, int parts);

}  // namespace topograd::amx
