// Four floats per access: for the kernels that only stream through memory.
//
// A thread that moves 16 bytes with one instruction needs a quarter of the loop's instructions, and
// keeps four times as many bytes under way. The address must be a multiple of 16. A tensor's memory
// begins at one; a view of it may begin anywhere, so kernels are told how far they may go in fours,
// and take what is left one by one.
#pragma once

#include "kernels/core/launch.h"

namespace topograd::TOPOGRAD_BACKEND {

/// Returns how many groups of four a kernel may take of n elements behind each of these pointers:
/// n / 4 where all are multiples of 16 bytes, else 0.
template <class... T>
int64_t groups_of_four(int64_t n, const T*... pointers) {
  const bool aligned = ((reinterpret_cast<uintptr_t>(pointers) % sizeof(float4) == 0) && ...);
  return aligned ? n / 4 : 0;
}

__host__ __device__ inline float4* in_fours(float* p) {
  return reinterpret_cast<float4*>(p);
}
__host__ __device__ inline const float4* in_fours(const float* p) {
  return reinterpret_cast<const float4*>(p);
}

}  // namespace topograd::TOPOGRAD_BACKEND
