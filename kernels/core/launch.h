// What a kernel file includes, and the only place that knows which compiler reads it.
//
// A .cu file is one source with two readers. nvcc compiles it for the GPU, into namespace
// topograd::cuda. g++ or clang++ compiles it, unchanged, against the emulator (kernels/simt/), into
// namespace topograd::simt, where a CUDA thread is a fiber and every access can be checked. Both
// live in one binary, as implementations of one operation on different devices. A kernel file
// foo/foo_1_plain.cu reads
//
//   #include "kernels/core/launch.h"
//   #include "kernels/foo/foo.h"
//
//   namespace topograd::TOPOGRAD_BACKEND {
//
//   namespace {
//
//   constexpr int kThreads = 256;
//
//   __global__ void foo_kernel(float* y, const float* x, int64_t n) {
//     for (int64_t i = first_element(); i < n; i += element_step()) y[i] = 2 * x[i];
//   }
//
//   void run(const FooArgs& args, Context& context) {
//     const int64_t n = args.y.size();
//     launch(foo_kernel, grid_for(n, kThreads), dim3(kThreads), 0, context,
//            pointer<float>(args.y), pointer<float>(args.x), n);
//   }
//
//   }  // namespace
//
//   void register_foo_1_plain(OpRegistry& registry) {
//     registry.add<FooArgs>(
//         {"plain", kDevice, [](const FooArgs& args) { return all_f32(args.y); }, run});
//   }
//
//   }  // namespace topograd::TOPOGRAD_BACKEND
//
// and needs of foo.h no more than kernels/core/op.h asks for: struct FooArgs with kOp, check() and
// its tensors, here y and x. CMake finds the file by its name, which names the function that
// registers it, too.
//
// Beside the CUDA language it may use what both halves offer: launch, dynamic_shared,
// copy_async_16, copy_async_commit, copy_async_wait, ldmatrix_x4, ldmatrix_x2_trans, mma_m16n8k16.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "kernels/core/context.h"

#ifndef __CUDACC__

#include "kernels/simt/simt.h"
#define TOPOGRAD_BACKEND simt

#else

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include "kernels/cuda/cuda_context.h"
#define TOPOGRAD_BACKEND cuda

namespace topograd::cuda {

constexpr Device kDevice = Device::cuda;
constexpr int64_t kMaxBlocks = 4096;  // grid-stride loops: 32 for each of 128 multiprocessors

/// Runs kernel(args...) on the context's stream, and checks that it could be launched.
/// shared_bytes is the dynamic shared memory, the one that dynamic_shared() returns.
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, size_t shared_bytes,
            Context& context, Arguments&&... args) {
  constexpr size_t kWithoutAsking = 48 * 1024;
  if (shared_bytes > kWithoutAsking)
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(shared_bytes)),
          "raising a kernel's shared memory");
  // clang-format would pull the three closing brackets apart, which nvcc does not understand.
  // clang-format off
  kernel<<<grid, block, shared_bytes, stream_of(context)>>>(
      static_cast<Parameters>(std::forward<Arguments>(args))...);
  // clang-format on
  check(cudaGetLastError(), "launching a kernel");
}

/// Returns the block's dynamic shared memory.
template <class T>
__device__ __forceinline__ T* dynamic_shared() {
  extern __shared__ __align__(16) unsigned char dynamic_shared_memory[];
  return reinterpret_cast<T*>(dynamic_shared_memory);
}

__device__ __forceinline__ unsigned shared_address(const void* p) {
  return static_cast<unsigned>(__cvta_generic_to_shared(p));
}

/// Starts copying 16 bytes from global to shared memory past the registers (cp.async); where not
/// `valid`, writes zeros and reads nothing. Both addresses are multiples of 16.
__device__ __forceinline__ void copy_async_16(void* to_shared, const void* from,
                                              bool valid = true) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared_address(to_shared)),
               "l"(from), "r"(valid ? 16 : 0)
               : "memory");
}
/// Closes a group of this thread's copies.
__device__ __forceinline__ void copy_async_commit() {
  asm volatile("cp.async.commit_group;" ::: "memory");
}
/// Waits until at most `kPending` of this thread's newest groups are under way. Other threads see
/// the data after the next barrier.
template <int kPending>
__device__ __forceinline__ void copy_async_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
}

/// Loads four 8x8 matrices of 16-bit numbers from shared memory to the fragments of a warp: lane l
/// names row l % 8 of matrix l / 8, and receives elements 2 * (l % 4) and the next of row l / 4 of
/// each.
__device__ __forceinline__ void ldmatrix_x4(uint32_t (&r)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(shared_address(row))
               : "memory");
}
/// Loads two such matrices, each transposed on the way; lanes 0 to 15 name the rows.
__device__ __forceinline__ void ldmatrix_x2_trans(uint32_t (&r)[2], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0,%1}, [%2];"
               : "=r"(r[0]), "=r"(r[1])
               : "r"(shared_address(row))
               : "memory");
}

/// Computes D (16x8, f32) = A (16x16, bf16, by rows) * B (16x8, bf16, by columns) + C, over a warp.
__device__ __forceinline__ void mma_m16n8k16(float (&d)[4], const uint32_t (&a)[4],
                                             const uint32_t (&b)[2], const float (&c)[4]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
      "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%10,%11,%12,%13};"
      : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "f"(c[0]), "f"(c[1]),
        "f"(c[2]), "f"(c[3]));
}

}  // namespace topograd::cuda

#endif

namespace topograd::TOPOGRAD_BACKEND {

constexpr int kWarp = 32;
constexpr unsigned kAllLanes = 0xffffffff;

/// Returns the elements of a tensor, for a kernel to work on; null where the tensor is undefined.
template <class T>
T* pointer(const Tensor& t) {
  if (!t.defined()) return nullptr;
  require(t.device() == kDevice, "a kernel on ", name_of(kDevice), " was handed memory of ",
          name_of(t.device()));
  return t.data<T>();
}

/// Whether each of these tensors is f32 or undefined: supports() of an implementation that knows
/// f32 alone.
template <class... Tensors>
bool all_f32(const Tensors&... tensors) {
  return ((!tensors.defined() || tensors.dtype() == DType::f32) && ...);
}

constexpr int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

/// Returns the grid of a grid-stride loop over n elements: blocks enough to fill any GPU (on the
/// emulator few, so that small tests go round the loop again), and no more than it takes.
inline dim3 grid_for(int64_t n, int threads_per_block) {
  return dim3(
      static_cast<unsigned>(std::clamp<int64_t>(ceil_div(n, threads_per_block), 1, kMaxBlocks)));
}

/// Return the first element of this thread in a grid-stride loop, and the loop's step.
__device__ inline int64_t first_element() {
  return static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
}
__device__ inline int64_t element_step() {
  return static_cast<int64_t>(gridDim.x) * blockDim.x;
}

}  // namespace topograd::TOPOGRAD_BACKEND
