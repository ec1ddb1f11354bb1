// Fibers: stacks that one host thread switches between. A switch costs a few nanoseconds, which is
// what makes a fiber per CUDA thread affordable.
#pragma once

#include <cstddef>
#include <cstdint>

#if !defined(__x86_64__) || defined(TOPOGRAD_SIMT_UCONTEXT)
#define TOPOGRAD_SIMT_USES_UCONTEXT 1
#include <ucontext.h>
#endif

namespace topograd::simt::emulator {

/// A block's threads, and so the fibers that can be needed at once.
constexpr int kMaxThreads = 1024;

struct Fiber {
#ifdef TOPOGRAD_SIMT_USES_UCONTEXT
  ucontext_t context;
#else
  void* stack_pointer = nullptr;  // where it was left
#endif
  bool is_host = false;  // stands for the host thread's own stack
  // Stack to announce to AddressSanitizer; the host's is known once it was left.
  const void* stack = nullptr;  // lowest address
  size_t stack_bytes = 0;
  void* sanitizer_state = nullptr;
};

/// Gives fiber number `index` (below kMaxThreads) a fresh stack, on which the first switch to it
/// calls `entry`. entry must not return. What ran on the fiber before is forgotten.
void prepare_fiber(Fiber& fiber, int index, void (*entry)());

/// Leaves the running code in `from` and continues `to` where it was left.
void switch_fiber(Fiber& from, Fiber& to);

/// Completes the switch to a fresh fiber; entry() calls it first.
void fiber_entered();

/// Addresses between which all stacks lie; equal until the first one is made.
extern uintptr_t stacks_begin;
extern uintptr_t stacks_end;
/// Whether the address is on a fiber's stack: private to a CUDA thread.
inline bool on_fiber_stack(uintptr_t address) {
  return address >= stacks_begin && address < stacks_end;
}
/// Whether the caller is a CUDA thread.
inline bool inside_kernel() {
  return on_fiber_stack(reinterpret_cast<uintptr_t>(__builtin_frame_address(0)));
}

}  // namespace topograd::simt::emulator
