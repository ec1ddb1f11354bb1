// Functions that launch.h offers beside the CUDA language: asynchronous copies into shared memory,
// and the tensor cores' fragments, with the layouts of the PTX ISA (Warp Level Matrix
// Instructions).
#pragma once

#include "kernels/simt/half_types.h"
#include "kernels/simt/runtime.h"

namespace topograd::simt {

/// Returns the block's dynamic shared memory.
template <class T>
T* dynamic_shared() {
  return static_cast<T*>(emulator::dynamic_shared_memory());
}

/// Starts copying 16 bytes from global to shared memory; where not `valid`, writes zeros and reads
/// nothing. The bytes arrive at some moment before the copy_async_wait for their group returns: in
/// the natural schedule at the last one, so that a missing wait shows.
__attribute__((always_inline)) inline void copy_async_16(
    void* to_shared, const void* from, bool valid = true,
    emulator::Place place = emulator::Place::here()) {
  emulator::start_copy(to_shared, from, valid, place);
}
/// Closes a group of this thread's copies.
inline void copy_async_commit() {
  emulator::commit_copies();
}
/// Waits until at most `kPending` of this thread's newest groups are under way. Other threads see
/// the data after the next barrier.
template <int kPending>
__attribute__((always_inline)) inline void copy_async_wait() {
  emulator::wait_for_copies(kPending);
}

namespace emulator {

struct MatrixSlot {
  uint32_t* r;
  uint16_t row[8];
};

template <int kMatrices, bool kTransposed>
TOPOGRAD_SIMT_UNWATCHED void serve_matrices(void** slots, unsigned) {
  for (int lane = 0; lane < 32; ++lane) {
    const int major = lane / 4;
    const int minor = 2 * (lane % 4);
    for (int n = 0; n < kMatrices; ++n) {
      const auto element = [&](int i, int j) -> uint32_t {
        return static_cast<const MatrixSlot*>(slots[8 * n + i])->row[j];
      };
      static_cast<MatrixSlot*>(slots[lane])->r[n] =
          kTransposed ? element(minor, major) | element(minor + 1, major) << 16
                      : element(major, minor) | element(major, minor + 1) << 16;
    }
  }
}

/// Loads matrices: lane l of 8 * kMatrices names row l % 8 of matrix l / 8. Not transposed, a lane
/// receives of each matrix elements 2 * (l % 4) and the next of row l / 4; transposed, of column l
/// / 4.
template <int kMatrices, bool kTransposed>
__attribute__((always_inline)) inline void load_matrices(uint32_t (&r)[kMatrices], const void* row,
                                                         const char* operation, Place place) {
  MatrixSlot slot{r, {}};
  if (lane_id() < 8 * kMatrices) read_matrix_row(slot.row, row, place);
  meet_warp(~0u, operation, place, &slot, serve_matrices<kMatrices, kTransposed>);
}

inline float lower_bfloat16(uint32_t pair) {
  return float_from_bf16_bits(static_cast<uint16_t>(pair));
}
inline float upper_bfloat16(uint32_t pair) {
  return float_from_bf16_bits(static_cast<uint16_t>(pair >> 16));
}

struct MmaSlot {
  float* d;
  const uint32_t* a;
  const uint32_t* b;
  const float* c;
};
/// Gathers all 32 slots' fragments into matrices, multiplies them and hands the results back.
void multiply_fragments(void** slots, unsigned mask);

}  // namespace emulator

/// Loads four 8x8 matrices of 16-bit numbers from shared memory to the fragments of a warp.
__attribute__((always_inline)) inline void ldmatrix_x4(
    uint32_t (&r)[4], const void* row, emulator::Place place = emulator::Place::here()) {
  emulator::load_matrices<4, false>(r, row, "ldmatrix_x4", place);
}
/// Loads two such matrices, each transposed on the way; lanes 0 to 15 name the rows.
__attribute__((always_inline)) inline void ldmatrix_x2_trans(
    uint32_t (&r)[2], const void* row, emulator::Place place = emulator::Place::here()) {
  emulator::load_matrices<2, true>(r, row, "ldmatrix_x2_trans", place);
}

/// Computes D (16x8, f32) = A (16x16, bf16, by rows) * B (16x8, bf16, by columns) + C, over a warp.
inline void mma_m16n8k16(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2],
                         const float (&c)[4], emulator::Place place = emulator::Place::here()) {
  emulator::MmaSlot slot{d, a, b, c};
  emulator::meet_warp(~0u, "mma_m16n8k16", place, &slot, emulator::multiply_fragments);
}

}  // namespace topograd::simt
