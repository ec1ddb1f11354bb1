// The loop that every tiled product here runs: gemm, and the convolutions as matrix products.
//
// C = A B, C of M x N, the sum over K. A block of 128 threads owns one tile of C and goes through
// K in steps of 16. In each step the block copies 16 columns of its rows of A and 16 rows of its
// columns of B into shared memory, where each number then serves a whole row or column of the tile:
//
//           K                      N                        tile of C: kRows x kColumns
//      +---------+            +---------+                   loads:     16 (kRows + kColumns)
//    M |  [16]   | A        K |  [16]   | B                 products:  16 kRows kColumns
//      +---------+            +---------+
//
// Three kinds of parts fit together, all of them types, so that the compiler sees through:
//
// - An operand knows where its numbers lie (Matrix below; a convolution's windows in
//   kernels/conv2d/windows.cuh). It has
//     static constexpr bool kAlongK;      whether neighbours in memory are neighbours along K
//     Row row(int r) const;               what of row r (of B: column r) does not depend on k
//     bool quads;                         whether its neighbours may be loaded four at a time
//     Quad load<kQuads>(const Row&, int k) const;  (r, k) and three neighbours; zeros outside
// - A block multiplies tiles that are in shared memory and keeps the sums in registers: FmaBlock
//   (fma_block.cuh) in f32, TensorCoreBlock (tensor_core_block.cuh) in bf16.
// - An output takes the sums of neighbouring columns, row by row, and stores them (Output below).
//
// Two tiles are in shared memory. While a step multiplies one of them, the numbers of the next are
// on their way from global memory into registers, and go into the other tile at the step's end. So
// one barrier a step is enough, and no thread waits for memory unless it is slower than the
// products.
#pragma once

#include "kernels/core/launch.h"

namespace topograd::TOPOGRAD_BACKEND {

constexpr int kTileK = 16;
constexpr int kTileThreads = 128;

/// Rows, columns and depth of a product are below this, so that sums of two indices fit an int.
constexpr int64_t kMaxTiled = int64_t{1} << 30;

/// Floats that are neighbours in memory and move in one instruction.
template <int n>
struct alignas(4 * n) Floats {
  float v[n];
};
using Quad = Floats<4>;

/// Whether a matrix whose lines are `length` floats long, one after the other, consists of quads.
inline bool made_of_quads(const float* data, int64_t length) {
  return reinterpret_cast<uintptr_t>(data) % sizeof(Quad) == 0 && length % 4 == 0;
}

/// Loads the first `count` of n neighbours, zeros for the rest. One load if kQuads: then all are
/// there or none.
template <bool kQuads, int n>
__device__ inline Floats<n> load_floats(const float* from, int count) {
  Floats<n> result{};
  if (kQuads) {
    if (count > 0) result = *reinterpret_cast<const Floats<n>*>(from);
  } else {
#pragma unroll
    for (int e = 0; e < n; ++e)
      if (e < count) result.v[e] = from[e];
  }
  return result;
}
template <bool kQuads, int n>
__device__ inline void store_floats(float* to, int count, const Floats<n>& values) {
  if (kQuads) {
    if (count > 0) *reinterpret_cast<Floats<n>*>(to) = values;
  } else {
#pragma unroll
    for (int e = 0; e < n; ++e)
      if (e < count) to[e] = values.v[e];
  }
}

/// An operand that is a matrix in memory: if kAlongK_ `rows` lines along K, else `depth` lines
/// along the rows.
template <bool kAlongK_>
struct Matrix {
  static constexpr bool kAlongK = kAlongK_;
  const float* data;
  int rows, depth;
  bool quads;  // whether it is made_of_quads

  struct Row {
    const float* start;
    int count;  // neighbours
  };
  __device__ Row row(int r) const {
    if (kAlongK) return {data + static_cast<int64_t>(r) * depth, r < rows ? depth : 0};
    return {data + r, rows - r};
  }
  template <bool kQuads>
  __device__ Quad load(const Row& row, int k) const {
    if (kAlongK) return load_floats<kQuads, 4>(row.start + k, row.count - k);
    return load_floats<kQuads, 4>(row.start + static_cast<int64_t>(k) * rows,
                                  k < depth ? row.count : 0);
  }
};

template <bool kAlongK>
Matrix<kAlongK> matrix(const float* data, int rows, int depth) {
  return {data, rows, depth, made_of_quads(data, kAlongK ? depth : rows)};
}

/// Place of an output row: row r begins at element r * pitch.
struct RowMajor {
  int64_t pitch;
  __device__ int64_t operator()(int row) const { return row * pitch; }
};

/// y = max(sums + added, 0), where what is null or not asked for is left out; the sums hold the
/// bias already. `added` may be y: accumulation, a residual in place. Place says where a row of y
/// begins.
template <class Place>
struct Output {
  float* y;
  const float* bias;   // one per column
  const float* added;  // like y
  Place place;
  int rows, columns;
  bool relu;
  bool quads;  // whether y and added are made_of_quads

  /// Returns the bias of n columns; zeros where there is none.
  template <int n>
  __device__ Floats<n> bias_at(int column) const {
    return load_floats<false, n>(bias + column, bias ? columns - column : 0);
  }

  /// What the numbers of a row have in common.
  struct Line {
    int64_t at;   // element of y where it begins
    int columns;  // 0 where there is no such row
    float least;  // below which numbers are not
  };
  __device__ Line line(int row) const {
    const bool exists = row < rows;
    return {exists ? place(row) : 0, exists ? columns : 0, relu ? 0.0F : -INFINITY};
  }
  template <bool kQuads, int n>
  __device__ void store(const Line& line, int column, Floats<n> sums) const {
    const int count = line.columns - column;
    const int64_t at = line.at + column;
    if (added) {
      const Floats<n> terms = load_floats<kQuads, n>(added + at, count);
      for (int e = 0; e < n; ++e) sums.v[e] += terms.v[e];
    }
    for (int e = 0; e < n; ++e)
      sums.v[e] = sums.v[e] < line.least ? line.least : sums.v[e];  // NaN stays
    store_floats<kQuads>(y + at, count, sums);
  }
};

/// One thread's share of copying an operand's tiles of kRows x 16: some quads, always at the same
/// positions in the tile. Neighbouring threads take neighbouring quads of a line, as it lies in
/// memory; a thread's own quads are on different lines, at one position of them.
template <int kRows, class Operand>
class Share {
  static constexpr bool kAlongK = Operand::kAlongK;
  static constexpr int kLine = (kAlongK ? kTileK : kRows) / 4;  // quads
  static constexpr int kLines = kAlongK ? kRows : kTileK;
  static constexpr int kStep = kTileThreads / kLine;  // lines between two quads of a thread
  static constexpr int kMine = (kLines + kStep - 1) / kStep;
  static_assert(kTileThreads % kLine == 0, "the threads take whole lines at a time");

 public:
  __device__ Share(const Operand& operand, int first_row) {
#pragma unroll
    for (int j = 0; j < kRowsOfMine; ++j) rows_[j] = operand.row(first_row + row(j));
  }
  /// Starts loading the tile at depth k.
  __device__ void load(const Operand& operand, int k) {
    if (operand.quads)
      load_as<true>(operand, k);
    else
      load_as<false>(operand, k);
  }
  template <class Tile>
  __device__ void store(Tile& tile) const {
#pragma unroll
    for (int j = 0; j < kMine; ++j)
      if (exists(j)) tile.template store<kAlongK>(row(j), depth(j), values_[j]);
  }

 private:
  template <bool kQuads>
  __device__ void load_as(const Operand& operand, int k) {
#pragma unroll
    for (int j = 0; j < kMine; ++j)
      if (exists(j))
        values_[j] = operand.template load<kQuads>(rows_[kAlongK ? j : 0], k + depth(j));
  }

  __device__ static int line(int j) {
    return static_cast<int>(threadIdx.x / kLine) + j * kStep;
  }
  __device__ static int place() {
    return static_cast<int>(threadIdx.x % kLine) * 4;
  }
  __device__ static bool exists(int j) {
    return kLines % kStep == 0 || line(j) < kLines;
  }
  __device__ static int row(int j) {
    return kAlongK ? line(j) : place();
  }
  __device__ static int depth(int j) {
    return kAlongK ? place() : line(j);
  }

  static constexpr int kRowsOfMine = kAlongK ? kMine : 1;
  typename Operand::Row rows_[kRowsOfMine];
  Quad values_[kMine] = {};
};

/// The two operands' parts of one step.
template <class Block, class A, class B>
struct alignas(16) Tile {
  typename Block::template TileA<A::kAlongK> a;
  typename Block::template TileB<B::kAlongK> b;
};

/// Returns the grid with one block of threads per tile of a rows x columns matrix. Neighbouring
/// blocks share rows: the larger operand's tiles come from global memory once, then from the cache.
template <class Block>
dim3 tile_grid(int64_t rows, int64_t columns) {
  return dim3(
      static_cast<unsigned>(ceil_div(rows, Block::kRows) * ceil_div(columns, Block::kColumns)));
}
template <class Block, class A, class B>
constexpr size_t tile_shared_bytes() {
  return 2 * sizeof(Tile<Block, A, B>);
}

/// Multiplies this block's tile over k in [k_begin, k_end) and hands it to the output. k_begin is a
/// multiple of 16, k_end too unless it is where the operands end.
template <class Block, class A, class B, class Out>
__device__ void multiply_tile(const A& a, const B& b, const Out& output, int k_begin, int k_end) {
  const int across = (output.columns + Block::kColumns - 1) / Block::kColumns;
  const int first_row = static_cast<int>(blockIdx.x) / across * Block::kRows;
  const int first_column = static_cast<int>(blockIdx.x) % across * Block::kColumns;
  auto* tiles = dynamic_shared<Tile<Block, A, B>>();
  Share<Block::kRows, A> share_a(a, first_row);
  Share<Block::kColumns, B> share_b(b, first_column);
  if (k_begin < k_end) {
    share_a.load(a, k_begin);
    share_b.load(b, k_begin);
    share_a.store(tiles[0].a);
    share_b.store(tiles[0].b);
  }
  Block block;
  int current = 0;
  for (int k = k_begin; k < k_end; k += kTileK) {
    __syncthreads();  // this step's tile is complete; all threads have done with the other
    const bool more = k + kTileK < k_end;
    if (more) {
      share_a.load(a, k + kTileK);
      share_b.load(b, k + kTileK);
    }
    block.multiply(tiles[current].a, tiles[current].b);
    current ^= 1;
    if (more) {
      share_a.store(tiles[current].a);
      share_b.store(tiles[current].b);
    }
  }
  block.store(output, first_row, first_column);
}

}  // namespace topograd::TOPOGRAD_BACKEND
