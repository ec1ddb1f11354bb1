// A block that multiplies tiles of f32 with the ordinary units: each thread a small matrix of sums.
//
// A thread owns kThreadRows x kThreadColumns sums. Per k it reads kThreadRows + kThreadColumns
// numbers from shared memory, four in one load, for kThreadRows * kThreadColumns products: with
// 8 x 8, four loads for 64 fused multiply-adds. A multiprocessor adds 128 products a clock and
// reads 32 floats from shared memory: 64 products take a warp 16 clocks, and so do its 16 numbers
// for each lane, less what lanes have in common. With 8 x 4 it is 8 clocks and 12, less as much.
#pragma once

#include "kernels/gemm/tile.cuh"

namespace topograd::TOPOGRAD_BACKEND {

/// kRows rows of an operand, 16 deep. Stored along the rows, which is how threads read: four rows
/// of one k are a quad. The four floats at each line's end keep lines at multiples of a quad and
/// spread the writes of an operand that comes along K over the banks, two threads to a bank instead
/// of four.
template <int kRows>
struct FloatTile {
  float at[kTileK][kRows + 4];

  template <bool kAlongK>
  __device__ void store(int row, int k, const Quad& quad) {
    if (!kAlongK) {
      *reinterpret_cast<Quad*>(&at[k][row]) = quad;
    } else {
      for (int e = 0; e < 4; ++e) at[k + e][row] = quad.v[e];
    }
  }
  __device__ Quad quad(int k, int row) const { return *reinterpret_cast<const Quad*>(&at[k][row]); }
};

template <int kRows_, int kColumns_, int kThreadRows, int kThreadColumns>
class FmaBlock {
 public:
  static constexpr int kRows = kRows_, kColumns = kColumns_;
  template <bool>
  using TileA = FloatTile<kRows>;
  template <bool>
  using TileB = FloatTile<kColumns>;

  __device__ void multiply(const FloatTile<kRows>& a, const FloatTile<kColumns>& b) {
#pragma unroll
    for (int k = 0; k < kTileK; ++k) {
      Quad left[kThreadRows / 4], right[kThreadColumns / 4];
#pragma unroll
      for (int i = 0; i < kThreadRows / 4; ++i) left[i] = a.quad(k, row(i));
#pragma unroll
      for (int j = 0; j < kThreadColumns / 4; ++j) right[j] = b.quad(k, column(j));
#pragma unroll
      for (int i = 0; i < kThreadRows; ++i)
#pragma unroll
        for (int j = 0; j < kThreadColumns; ++j)
          sums_[i][j / 4].v[j % 4] += left[i / 4].v[i % 4] * right[j / 4].v[j % 4];
    }
  }

  template <class Out>
  __device__ void store(const Out& output, int first_row, int first_column) const {
    if (output.quads)
      store_as<true>(output, first_row, first_column);
    else
      store_as<false>(output, first_row, first_column);
  }

 private:
  template <bool kQuads, class Out>
  __device__ void store_as(const Out& output, int first_row, int first_column) const {
    Quad bias[kThreadColumns / 4];
#pragma unroll
    for (int j = 0; j < kThreadColumns / 4; ++j)
      bias[j] = output.template bias_at<4>(first_column + column(j));
#pragma unroll
    for (int i = 0; i < kThreadRows; ++i) {
      const auto line = output.line(first_row + row(i / 4) + i % 4);
#pragma unroll
      for (int j = 0; j < kThreadColumns / 4; ++j) {
        Quad sums = sums_[i][j];
        for (int e = 0; e < 4; ++e) sums.v[e] += bias[j].v[e];
        output.template store<kQuads>(line, first_column + column(j), sums);
      }
    }
  }

  static constexpr int kDown = kRows / kThreadRows, kAcross = kColumns / kThreadColumns;
  static_assert(kDown * kAcross == kTileThreads, "the threads' sums are exactly the tile");
  static_assert(kThreadRows % 4 == 0 && kThreadColumns % 4 == 0, "a thread's rows come by quads");

  // A thread's quads lie kDown (kAcross) quads apart, so that the threads of a warp read
  // neighbours: eight quads of one operand, four of the other, no bank twice.
  __device__ static int row(int quad) {
    return (quad * kDown + static_cast<int>(threadIdx.x) / kAcross) * 4;
  }
  __device__ static int column(int quad) {
    return (quad * kAcross + static_cast<int>(threadIdx.x) % kAcross) * 4;
  }

  Quad sums_[kThreadRows][kThreadColumns / 4] = {};
};

/// Calls run(value of a block type) with a block as wide as a product of so many columns needs:
/// networks for small images have 16 to 64 channels, and a wider tile would multiply zeros.
template <class Run>
void with_fma_block(int64_t columns, const Run& run) {
  if (columns <= 16)
    run(FmaBlock<256, 16, 8, 4>());
  else if (columns <= 32)
    run(FmaBlock<128, 32, 8, 4>());
  else
    run(FmaBlock<128, 64, 8, 8>());
}

}  // namespace topograd::TOPOGRAD_BACKEND
