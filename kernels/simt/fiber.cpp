#include "kernels/simt/fiber.h"

#include <sys/mman.h>

#include "kernels/core/check.h"

#ifndef __has_feature  // clang's question; g++ defines __SANITIZE_ADDRESS__
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define TOPOGRAD_SIMT_ASAN 1
#endif

#ifndef TOPOGRAD_SIMT_USES_UCONTEXT
// Saves the registers that a callee must preserve on the old stack, swaps stacks, and returns on
// the new one to wherever it was left. swapcontext also keeps the signal mask, by system calls: a
// barrier takes 230 ns a thread with it, against 30.
extern "C" void topograd_simt_switch_stack(void** save_stack_pointer, void* load_stack_pointer);
asm(R"(
  .text
  .globl topograd_simt_switch_stack
  .hidden topograd_simt_switch_stack
  .type topograd_simt_switch_stack, @function
topograd_simt_switch_stack:
  push %rbp
  push %rbx
  push %r12
  push %r13
  push %r14
  push %r15
  mov %rsp, (%rdi)
  mov %rsi, %rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbx
  pop %rbp
  pop %rcx
  jmp *%rcx
  .size topograd_simt_switch_stack, . - topograd_simt_switch_stack
)");
#endif

namespace topograd::simt::emulator {

constinit uintptr_t stacks_begin = 0;
constinit uintptr_t stacks_end = 0;

namespace {

#ifdef TOPOGRAD_SIMT_ASAN
constexpr size_t kStackBytes = 256 << 10;  // red zones around every local array
#else
constexpr size_t kStackBytes = 64 << 10;
#endif
constexpr size_t kGuardBytes = 64 << 10;  // a whole page, whatever the machine's page size
// Equal distances would give all stacks' tops the same cache sets: each begins a little further.
constexpr size_t kStaggerBytes = 4096;
constexpr size_t kSlotBytes = kGuardBytes + kStackBytes + kStaggerBytes;

char* slot_of(int index) {
  if (stacks_begin == 0) {
    // Address space for all stacks; the memory behind it comes as it is touched.
    constexpr size_t kBytes = kSlotBytes * kMaxThreads;
    void* memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    require(memory != MAP_FAILED, "no address space for the emulator's stacks");
    stacks_begin = reinterpret_cast<uintptr_t>(memory);
    stacks_end = stacks_begin + kBytes;
  }
  return reinterpret_cast<char*>(stacks_begin) + static_cast<size_t>(index) * kSlotBytes;
}

#ifdef TOPOGRAD_SIMT_ASAN
Fiber* left_fiber = nullptr;  // where the last switch came from

/// AddressSanitizer learns of a completed switch, and says what stack the host thread has.
void finish_switch(void* sanitizer_state) {
  const void* left_stack = nullptr;
  size_t left_bytes = 0;
  __sanitizer_finish_switch_fiber(sanitizer_state, &left_stack, &left_bytes);
  if (!left_fiber->is_host) return;
  left_fiber->stack = left_stack;
  left_fiber->stack_bytes = left_bytes;
}
#endif

}  // namespace

void prepare_fiber(Fiber& fiber, int index, void (*entry)()) {
  if (!fiber.stack) {
    char* slot = slot_of(index);
    // A stack that overflows hits its guard and crashes, instead of writing into its neighbour.
    require(mprotect(slot, kGuardBytes, PROT_NONE) == 0, "no guard page for the emulator's stacks");
    fiber.stack = slot + kGuardBytes;
    fiber.stack_bytes = kStackBytes + static_cast<size_t>(index) * 192 % kStaggerBytes;
  }
  fiber.sanitizer_state = nullptr;
  char* bottom = const_cast<char*>(static_cast<const char*>(fiber.stack));
#ifdef TOPOGRAD_SIMT_ASAN
  __asan_unpoison_memory_region(bottom, fiber.stack_bytes);
#endif
#ifdef TOPOGRAD_SIMT_USES_UCONTEXT
  getcontext(&fiber.context);
  fiber.context.uc_stack.ss_sp = bottom;
  fiber.context.uc_stack.ss_size = fiber.stack_bytes;
  fiber.context.uc_link = nullptr;
  makecontext(&fiber.context, entry, 0);
#else
  // What topograd_simt_switch_stack pops: six registers and the address to continue at. The zero
  // above is entry's return address: it ends backtraces, and aligns the stack as a call does.
  void** top = reinterpret_cast<void**>(bottom + fiber.stack_bytes / 64 * 64);
  *--top = nullptr;
  *--top = reinterpret_cast<void*>(entry);
  for (int registers = 0; registers < 6; ++registers) *--top = nullptr;
  fiber.stack_pointer = top;
#endif
}

void switch_fiber(Fiber& from, Fiber& to) {
#ifdef TOPOGRAD_SIMT_ASAN
  left_fiber = &from;
  __sanitizer_start_switch_fiber(&from.sanitizer_state, to.stack, to.stack_bytes);
#endif
#ifdef TOPOGRAD_SIMT_USES_UCONTEXT
  swapcontext(&from.context, &to.context);
#else
  topograd_simt_switch_stack(&from.stack_pointer, to.stack_pointer);
#endif
#ifdef TOPOGRAD_SIMT_ASAN
  finish_switch(from.sanitizer_state);
#endif
}

void fiber_entered() {
#ifdef TOPOGRAD_SIMT_ASAN
  finish_switch(nullptr);
#endif
}

}  // namespace topograd::simt::emulator
