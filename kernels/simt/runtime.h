// Services of the emulator's runtime to the device functions in this folder's headers. Kernels use
// the device functions, never these.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "kernels/core/check.h"
#include "kernels/simt/vector_types.h"

namespace topograd {
class Context;
}

namespace topograd::simt {

// One thread runs at a time, so one variable serves all: the scheduler sets it at every switch.
extern uint3 threadIdx;
extern uint3 blockIdx;
extern dim3 blockDim;
extern dim3 gridDim;
inline constexpr int warpSize = 32;

namespace emulator {

/// A line of a kernel; as a default argument Place::here() is the line of the call.
struct Place {
  const char* file;
  int line;
  static constexpr Place here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return {file, line};
  }
};

/// The running thread's number in its block, x fastest; -1 while no kernel runs.
extern int current_thread;
inline int lane_id() {
  return current_thread & 31;
}

/// Ends the launch: throws Error with the message, the place, the block and the thread.
[[noreturn]] void fail_in_kernel(Place place, const std::string& message);

[[noreturn]] void fail_absent_source(Place place, int lane);

/// Attribute of functions that touch nothing but slots, which lie on the threads' own stacks: the
/// memory checker has nothing to learn there, and takes half as long without them.
#define TOPOGRAD_SIMT_UNWATCHED __attribute__((no_sanitize("thread")))

/// Action of the last thread to arrive, for all: slots[i] is what lane or thread i brought.
using WarpCombine = void (*)(void** slots, unsigned mask);
using BlockCombine = void (*)(void** slots, int threads);

/// Blocks until every lane of `mask` has come with the same operation and mask; then `combine`
/// runs once. Without a `combine` it is a __syncwarp, which orders memory.
void meet_warp(unsigned mask, const char* operation, Place place, void* slot, WarpCombine combine);
/// Blocks until all threads of the block have come; then `combine` runs once. Always orders memory.
void meet_block(const char* operation, Place place, void* slot, BlockCombine combine);

struct Kernel {
  void (*call)(const void* arguments);  // runs one thread
  const void* arguments;
  size_t argument_bytes;
  const void* function;  // the __global__ function, which tells kernels apart
};
/// Runs a grid to its end.
void run_grid(const Kernel& kernel, dim3 grid, dim3 block, size_t shared_bytes);
/// Hands a grid to the device: the emulator runs it at once (device_simt.cpp), tests/mock_cuda puts
/// it into the context's stream. The arguments are valid during the call.
void submit(const Kernel& kernel, dim3 grid, dim3 block, size_t shared_bytes, Context& context);

void* dynamic_shared_memory();

void start_copy(void* to, const void* from, bool valid, Place place);
void commit_copies();
void wait_for_copies(int pending_groups);

/// Copies the 16 bytes of one row of a matrix, as the lane that names it reads them.
void read_matrix_row(void* to, const void* row, Place place);

/// Tells the memory checker, where one is linked, of an atomic operation and of a fence.
void announce_atomic(const void* address, size_t bytes, const void* program_counter);
void announce_fence();

}  // namespace emulator
}  // namespace topograd::simt
