// A block that multiplies tiles of bf16 with the tensor cores, the sums in f32.
//
// Operands arrive as f32 and are rounded on their way into shared memory. With one product, C is
// made of operands of 8 bits. With three (bf16x3), x = high + low + rest, high and low in bf16:
//   high = bf16(x), low = bf16(x - high), |rest| <= 2^-17 |x|,
//   a b = high_a high_b + low_a high_b + high_a low_b + an error below 2^-15 |a b|.
// An infinite x has low = infinity - infinity: sums of three products turn infinities into NaN.
//
// The tensor core's unit of work is a warp's: 16x8 += 16x16 * 16x8. A lane holds 8 numbers of the
// left matrix, 4 of the right one and 4 sums, where the PTX ISA says (mma.m16n8k16); ldmatrix
// fetches 8x8 pieces from rows of 16 bytes to just these places.
#pragma once

#include "kernels/gemm/tile.cuh"

namespace topograd::TOPOGRAD_BACKEND {

/// kRows rows of an operand, 16 deep, as kParts matrices of bf16. Lines run as in memory, along K
/// or along the rows. 8 numbers at each line's end make lines an odd multiple of 16 bytes long:
/// modulo the 128 bytes of all banks, the eight rows that ldmatrix reads together lie at eight
/// different places, and never share a bank.
template <int kRows, bool kAlongK_, int kParts>
struct alignas(16) BfloatTile {
  static constexpr bool kAlongK = kAlongK_;
  __nv_bfloat16 at[kParts][kAlongK ? kRows : kTileK][(kAlongK ? kTileK : kRows) + 8];

  template <bool kQuadAlongK>
  __device__ void store(int row, int k, Quad rest) {
    static_assert(kQuadAlongK == kAlongK, "lines run as in memory");
#pragma unroll
    for (int part = 0; part < kParts; ++part) {
      const __nv_bfloat162 low = __floats2bfloat162_rn(rest.v[0], rest.v[1]);
      const __nv_bfloat162 high = __floats2bfloat162_rn(rest.v[2], rest.v[3]);
      auto* to = reinterpret_cast<Pairs*>(&at[part][kAlongK ? row : k][kAlongK ? k : row]);
      *to = {low, high};
      rest.v[0] -= __low2float(low);  // exact: what remains has fewer bits than x
      rest.v[1] -= __high2float(low);
      rest.v[2] -= __low2float(high);
      rest.v[3] -= __high2float(high);
    }
  }

  /// Loads the left operand's fragment of 16 rows and all 16 k: r[0] rows 0-7 and k 0-7, r[1] rows
  /// 8-15, r[2] rows 0-7 and k 8-15, r[3] the rest.
  __device__ void load_left(uint32_t (&r)[4], int part, int row) const {
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    if constexpr (kAlongK) {
      ldmatrix_x4(r, &at[part][row + lane % 16][lane / 16 * 8]);
    } else {
      uint32_t first[2], second[2];  // halves of K
      const int k = lane % 8, right = row + lane / 8 % 2 * 8;
      ldmatrix_x2_trans(first, &at[part][k][right]);
      ldmatrix_x2_trans(second, &at[part][k + 8][right]);
      r[0] = first[0], r[1] = first[1], r[2] = second[0], r[3] = second[1];
    }
  }

  /// Loads the right operand's two fragments of 8 rows (its columns) and all 16 k: r[0] and r[1]
  /// rows 0-7, r[2] and r[3] rows 8-15. The tensor core takes a fragment from neighbouring
  /// registers, so lanes ask for the pieces in this order.
  __device__ void load_right(uint32_t (&r)[4], int part, int row) const {
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    if constexpr (kAlongK) {
      ldmatrix_x4(r, &at[part][row + lane % 8 + lane / 16 * 8][lane / 8 % 2 * 8]);
    } else {
      uint32_t first[2], second[2];  // rows 0-7 and 8-15
      ldmatrix_x2_trans(first, &at[part][lane % 16][row]);
      ldmatrix_x2_trans(second, &at[part][lane % 16][row + 8]);
      r[0] = first[0], r[1] = first[1], r[2] = second[0], r[3] = second[1];
    }
  }

 private:
  struct alignas(8) Pairs {
    __nv_bfloat162 low, high;
  };
};

/// The block's four warps lie one below the other, each as wide as the tile.
template <int kColumns_, int kProducts>
class TensorCoreBlock {
 public:
  static constexpr int kRows = 128, kColumns = kColumns_;
  static_assert(kProducts == 1 || kProducts == 3, "operands of one part or of two");
  static_assert(kColumns % 16 == 0, "fragments of the right operand come in pairs of 8 columns");
  static constexpr int kParts = kProducts == 1 ? 1 : 2;
  template <bool kAlongK>
  using TileA = BfloatTile<kRows, kAlongK, kParts>;
  template <bool kAlongK>
  using TileB = BfloatTile<kColumns, kAlongK, kParts>;

  template <class A, class B>
  __device__ void multiply(const A& a, const B& b) {
    uint32_t left[kParts][kDown][4];
#pragma unroll
    for (int part = 0; part < kParts; ++part)
#pragma unroll
      for (int i = 0; i < kDown; ++i) a.load_left(left[part][i], part, warp_row() + 16 * i);
#pragma unroll
    for (int j = 0; j < kColumns / 16; ++j) {
      uint32_t right[kParts][4];
#pragma unroll
      for (int part = 0; part < kParts; ++part) b.load_right(right[part], part, 16 * j);
        // high * high, low * high, high * low: between two uses of a sum are the three others,
        // which hide its latency.
#pragma unroll
      for (int product = 0; product < kProducts; ++product)
#pragma unroll
        for (int i = 0; i < kDown; ++i)
#pragma unroll
          for (int half = 0; half < 2; ++half) {
            const uint32_t(&r)[4] = right[product == 2];
            const uint32_t columns[2] = {r[2 * half], r[2 * half + 1]};
            float(&sums)[4] = sums_[i][2 * j + half];
            mma_m16n8k16(sums, left[product == 1][i], columns, sums);
          }
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
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    const int column = first_column + lane % 4 * 2;
    Floats<2> bias[kColumns / 8];
#pragma unroll
    for (int j = 0; j < kColumns / 8; ++j) bias[j] = output.template bias_at<2>(column + 8 * j);
#pragma unroll
    for (int i = 0; i < 2 * kDown; ++i) {
      const auto line = output.line(first_row + warp_row() + lane / 4 + 8 * i);
#pragma unroll
      for (int j = 0; j < kColumns / 8; ++j) {
        const float* sums = &sums_[i / 2][j][i % 2 * 2];
        output.template store<kQuads>(line, column + 8 * j,
                                      Floats<2>{sums[0] + bias[j].v[0], sums[1] + bias[j].v[1]});
      }
    }
  }

  static constexpr int kWarps = kTileThreads / kWarp;
  static constexpr int kDown = kRows / kWarps / 16;  // fragments
  __device__ static int warp_row() {
    return static_cast<int>(threadIdx.x) / kWarp * (kRows / kWarps);
  }

  float sums_[kDown][kColumns / 8][4] = {};
};

/// Calls run(value of a block type) with a block as wide as a product of so many columns needs, in
/// a precision that tensor cores have.
template <int kProducts, class Run>
void with_tensor_core_block(int64_t columns, const Run& run) {
  if (columns <= 16)
    run(TensorCoreBlock<16, kProducts>());
  else if (columns <= 32)
    run(TensorCoreBlock<32, kProducts>());
  else
    run(TensorCoreBlock<64, kProducts>());
}
template <class Run>
void with_tensor_core_block(Precision precision, int64_t columns, const Run& run) {
  if (precision == Precision::bf16)
    with_tensor_core_block<1>(columns, run);
  else
    with_tensor_core_block<3>(columns, run);
}

}  // namespace topograd::TOPOGRAD_BACKEND
