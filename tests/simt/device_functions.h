// One kernel per group of device functions: every thread writes what the functions return to it.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/core/context.h"

namespace topograd::simt::test {

// ---- warps

enum class Shuffle { index, up, down, exclusive_or };
/// value = shuffle(thread's number, parameter, width), in one block.
std::vector<int> shuffled(Shuffle mode, int parameter, int width, int threads, Context& context);
/// Sums doubles in the same way: 0.5 + thread.
std::vector<double> shuffled_doubles(int lane_mask, int threads, Context& context);

struct Votes {
  unsigned ballot;
  int any, all, sum, minimum, maximum;
  unsigned unsigned_sum;
  int block_count, block_and, block_or;
};
/// Votes over the predicate (thread % modulus == 0), and reductions over thread * 3 - 50.
std::vector<Votes> votes(int modulus, int threads, Context& context);

/// thread -> its place in the order in which threads of a block ran, from one barrier to the next.
std::vector<int> running_order(int threads, Context& context);

struct AtomicResults {
  int sum, maximum, minimum, exchanged_total;
  unsigned long long long_sum;
  double double_sum;
  float float_sum;
};
/// Sum of all threads' numbers in the grid, 1, 2, ...
AtomicResults atomics(int blocks, int threads, Context& context);

// ---- tensor cores

/// D = A B + C by mma_m16n8k16, every lane filling its fragments as the PTX ISA's tables say.
/// A: 16x16, B: 16x8, C: 16x8, all by rows, numbers that bf16 holds exactly.
std::vector<float> mma_by_tables(const std::vector<float>& A, const std::vector<float>& B,
                                 const std::vector<float>& C, Context& context);
/// The same, with A and B brought from shared memory by ldmatrix.
std::vector<float> mma_by_ldmatrix(const std::vector<float>& A, const std::vector<float>& B,
                                   const std::vector<float>& C, Context& context);

/// What ldmatrix gives to each lane (4 registers each), when element (row, column) of matrix n is
/// 64 n + 8 row + column.
std::vector<uint32_t> ldmatrix_registers(Context& context);
std::vector<uint32_t> ldmatrix_trans_registers(Context& context);

/// Copies 16-byte pieces i of `in` where i is no multiple of 3, zeros where it is, through shared
/// memory; two groups, the first awaited alone.
std::vector<float> copied_asynchronously(const std::vector<float>& in, Context& context);
/// What a thread finds at the place of its own copy: before the wait, after the wait for an older
/// group, after the wait for this one.
std::vector<float> copy_progress(Context& context);

}  // namespace topograd::simt::test
