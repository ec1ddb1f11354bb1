// The emulator as a kernel sees it: the CUDA language's names for a C++ compiler, in namespace
// topograd::simt, and launch(). Kernels include kernels/core/launch.h, which includes this.
#pragma once

// The standard headers come before the macros below: they must never see them.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "kernels/core/context.h"
#include "kernels/simt/atomics.h"
#include "kernels/simt/device_math.h"
#include "kernels/simt/half_types.h"
#include "kernels/simt/runtime.h"
#include "kernels/simt/tensor_core.h"
#include "kernels/simt/vector_types.h"
#include "kernels/simt/warp.h"

#define __global__
#define __device__
#define __host__
#define __launch_bounds__(...)
#define __grid_constant__
#define __align__(bytes) __attribute__((aligned(bytes)))
#define __forceinline__ inline __attribute__((always_inline))
// __noinline__ is not defined: libstdc++ writes __attribute__((__noinline__)).

// One static copy is enough, because blocks never run at the same time. The section has a beginning
// and an end, which is how the runtime fills it with NaN and how the memory checker knows it. In
// function templates g++ drops the attribute (GCC bug 41091): those variables lie in .bss among all
// others, start as zeros, and the checker takes all of .bss for shared memory.
//
// constinit: g++ would guard arrays of __nv_bfloat16 with a flag and a lock, although nothing is to
// be constructed. clang does not, and does not take constinit for what has no initialiser.
#ifdef __clang__
#define __shared__ static __attribute__((section("simt_shared")))
#else
#define __shared__ static constinit __attribute__((section("simt_shared")))
#endif
#define __constant__ __attribute__((section("simt_constant")))

// clang leaves copies of whole objects (a float4 from one array to another) to memcpy, where the
// memory checker would not see them. Newer ones call __tsan_memcpy and so on by themselves.
#if defined(__clang__)
#if __has_feature(thread_sanitizer)
asm("memcpy = __tsan_memcpy\nmemmove = __tsan_memmove\nmemset = __tsan_memset");
#endif
#endif

namespace topograd::simt {

/// Device that the kernels' rows are registered for and that their tensors lie on: simt, or, in
/// programs that link tests/mock_cuda, cuda.
extern const Device kDevice;
constexpr int64_t kMaxBlocks = 3;  // grid-stride loops: see grid_for

/// Runs kernel(args...) in every thread of the grid, to the end. Blocks run one after the other;
/// the threads of a block are fibers of the calling thread. Throws Error where a kernel or the
/// launch itself is wrong; the next launch works. Launches of several host threads wait for one
/// another.
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, size_t shared_bytes,
            Context& context, Arguments&&... args) {
  struct Call {
    void (*kernel)(Parameters...);
    std::tuple<Parameters...> arguments;
  };
  const Call call{kernel, {static_cast<Parameters>(std::forward<Arguments>(args))...}};
  const auto run_thread = [](const void* argument) {
    const auto& of_all = *static_cast<const Call*>(argument);
    std::apply(of_all.kernel, of_all.arguments);
  };
  // As in CUDA, where a launch copies its arguments' bytes.
  static_assert((std::is_trivially_copyable_v<Parameters> && ...));
  emulator::submit({run_thread, &call, sizeof call, reinterpret_cast<const void*>(kernel)}, grid,
                   block, shared_bytes, context);
}

}  // namespace topograd::simt
