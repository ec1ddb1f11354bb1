// Rows of C channels on the threads of a grid, for all kernels of batchnorm; and their sums over
// the rows, in an order that depends on the shape alone.
//
// x is [rows, C], channels innermost. A block reads as many whole rows at once as it has threads
// for, R = 256 / C of them (where C is above 256, a part of one row, and blockIdx.y says which):
//
//   thread t of block b owns channel t % C of rows b R + t / C, + blocks R, + 2 blocks R, ...
//
// Neighbouring threads read neighbouring floats, whatever C is; a thread keeps its channel, so the
// channel's constants are formed once and stay in registers. What does not divide is idle: none
// at C = 16, 32, 64, 8 of 256 threads at C = 31, 56 at 100, at worst 127 (C = 129).
#pragma once

#include "kernels/core/optional_vector.h"
#include "kernels/core/warp_sum.h"

namespace topograd::TOPOGRAD_BACKEND {

constexpr int kChannelThreads = 256;

struct ChannelGrid {
  int64_t rows;
  int C;
  int width;         // channels of a block
  int rows_at_once;  // R: rows a block reads at once
  unsigned blocks;   // blocks along the rows
  unsigned parts;    // blocks along a row
  dim3 grid() const { return dim3(blocks, parts); }
};

inline ChannelGrid channel_grid(int64_t elements, int64_t C) {
  // A thread gets at least eight rows, for its constants and the sums at its end to be worth it, as
  // long as the grid stays large enough: 1024 blocks fill 128 multiprocessors.
  constexpr int64_t kRowsPerThread = 8, kBlocks = 1024;
  const int64_t rows = elements / C;
  const int64_t width = std::min<int64_t>(C, kChannelThreads);
  const int64_t rows_at_once = kChannelThreads / width;
  const int64_t parts = ceil_div(C, width);
  const int64_t blocks = std::clamp<int64_t>(ceil_div(rows, rows_at_once * kRowsPerThread), 1,
                                             std::max<int64_t>(1, kBlocks / parts));
  return {rows,
          static_cast<int>(C),
          static_cast<int>(width),
          static_cast<int>(rows_at_once),
          static_cast<unsigned>(blocks),
          static_cast<unsigned>(parts)};
}

/// Share of one thread: a channel, and every row_step-th row from first_row on. A thread that owns
/// nothing has first_row = rows, and channel 0, so that it may read that channel's constants.
struct ChannelThread {
  bool idle;
  int channel;
  int64_t first_row, row_step;
};
__device__ inline ChannelThread channel_thread(const ChannelGrid& g) {
  const int t = static_cast<int>(threadIdx.x);
  const int row = t / g.width;
  const int channel = static_cast<int>(blockIdx.y) * g.width + t % g.width;
  const bool idle = row >= g.rows_at_once || channel >= g.C;
  const int64_t first_row = static_cast<int64_t>(blockIdx.x) * g.rows_at_once + row;
  return {idle, idle ? 0 : channel, idle ? g.rows : first_row,
          static_cast<int64_t>(gridDim.x) * g.rows_at_once};
}

/// Two sums over the rows of a channel, formed side by side.
struct TwoSums {
  double first, second;
};

/// Returns the workspace of a two-stage sum: block b's sums of channel c at [c * blocks + b].
inline TwoSums* block_sums(const ChannelGrid& g, Context& context) {
  const int64_t count = static_cast<int64_t>(g.blocks) * g.C;
  return static_cast<TwoSums*>(context.workspace(count * static_cast<int64_t>(sizeof(TwoSums))));
}

/// Stage 1: adds the sums of this block's threads for each channel, rows by halves, and writes them
/// to sums. All threads of the block call it together; shared has an element for each.
__device__ inline void store_block_sums(TwoSums* __restrict__ sums, TwoSums own, TwoSums* shared,
                                        const ChannelGrid& g, const ChannelThread& thread) {
  const int t = static_cast<int>(threadIdx.x);
  const int row = t / g.width;
  shared[t] = own;
  for (int rows = g.rows_at_once; rows > 1; rows = (rows + 1) / 2) {
    const int half = (rows + 1) / 2;
    __syncthreads();  // the sums of the step before are complete before they are added
    if (row + half < rows) {
      shared[t].first += shared[t + half * g.width].first;
      shared[t].second += shared[t + half * g.width].second;
    }
  }
  // A thread of row 0 reads what it wrote itself.
  if (row == 0 && !thread.idle)
    sums[static_cast<int64_t>(thread.channel) * gridDim.x + blockIdx.x] = shared[t];
}

/// Stage 2: returns the sums of a channel over all blocks, in every lane of the warp that calls it
/// together.
__device__ inline TwoSums sum_of_blocks(const TwoSums* __restrict__ sums, int channel,
                                        const ChannelGrid& g) {
  // This lane owns blocks lane, lane + 32, ...
  TwoSums own{0, 0};
  for (unsigned b = threadIdx.x % kWarp; b < g.blocks; b += kWarp) {
    const TwoSums block = sums[static_cast<int64_t>(channel) * g.blocks + b];
    own.first += block.first;
    own.second += block.second;
  }
  return {sum_over_warp(own.first), sum_over_warp(own.second)};
}

/// Returns the grid of stage 2: a warp per channel, eight to a block.
inline dim3 warp_per_channel(const ChannelGrid& g) {
  return dim3(static_cast<unsigned>(ceil_div(g.C, kChannelThreads / kWarp)));
}

}  // namespace topograd::TOPOGRAD_BACKEND
