// The functions that -fsanitize=thread makes g++ and clang call, in place of the thread sanitizer's
// library. Loads and stores go to the memory checker. Host code of the same files calls them too,
// atomic operations included: those are carried out, everything else is nothing.
#include <cstdint>
#include <cstring>

#include "kernels/simt/checker.h"

#define RETURN_ADDRESS __builtin_return_address(0)

using topograd::simt::emulator::Access;
using topograd::simt::emulator::check_access;
using topograd::simt::emulator::check_alignment;

extern "C" {

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_ignore_thread_begin() {}
void __tsan_ignore_thread_end() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
void __tsan_atomic_thread_fence(int) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
void __tsan_atomic_signal_fence(int) {
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
}

// The plain names are aligned as their size, but for 16 bytes, which are aligned as 8.
#define DEFINE_ACCESS(name, bytes, kind, aligned)                  \
  void name##bytes(void* p) {                                      \
    if (aligned && bytes >= 8) check_alignment(p, RETURN_ADDRESS); \
    check_access(p, bytes, kind, RETURN_ADDRESS);                  \
  }
#define DEFINE_ACCESSES(bytes)                                              \
  DEFINE_ACCESS(__tsan_read, bytes, Access::read, true)                     \
  DEFINE_ACCESS(__tsan_write, bytes, Access::write, true)                   \
  DEFINE_ACCESS(__tsan_unaligned_read, bytes, Access::read, false)          \
  DEFINE_ACCESS(__tsan_unaligned_write, bytes, Access::write, false)        \
  DEFINE_ACCESS(__tsan_volatile_read, bytes, Access::read, true)            \
  DEFINE_ACCESS(__tsan_volatile_write, bytes, Access::write, true)          \
  DEFINE_ACCESS(__tsan_unaligned_volatile_read, bytes, Access::read, false) \
  DEFINE_ACCESS(__tsan_unaligned_volatile_write, bytes, Access::write, false)
DEFINE_ACCESSES(1)
DEFINE_ACCESSES(2)
DEFINE_ACCESSES(4)
DEFINE_ACCESSES(8)
DEFINE_ACCESSES(16)

void __tsan_read_range(void* p, size_t bytes) {
  check_access(p, bytes, Access::read, RETURN_ADDRESS);
}
void __tsan_write_range(void* p, size_t bytes) {
  check_access(p, bytes, Access::write, RETURN_ADDRESS);
}

// Newer clangs call these for copies of whole objects.
void* __tsan_memcpy(void* to, const void* from, size_t bytes) {
  check_access(from, bytes, Access::read, RETURN_ADDRESS);
  check_access(to, bytes, Access::write, RETURN_ADDRESS);
  return std::memcpy(to, from, bytes);
}
void* __tsan_memmove(void* to, const void* from, size_t bytes) {
  check_access(from, bytes, Access::read, RETURN_ADDRESS);
  check_access(to, bytes, Access::write, RETURN_ADDRESS);
  return std::memmove(to, from, bytes);
}
void* __tsan_memset(void* to, int value, size_t bytes) {
  check_access(to, bytes, Access::write, RETURN_ADDRESS);
  return std::memset(to, value, bytes);
}

// std::atomic and shared_ptr of host code. The orders are all taken as the strongest.
#define DEFINE_ATOMICS(bits, T)                                                                    \
  T __tsan_atomic##bits##_load(const volatile T* p, int) {                                         \
    return __atomic_load_n(p, __ATOMIC_SEQ_CST);                                                   \
  }                                                                                                \
  void __tsan_atomic##bits##_store(volatile T* p, T value, int) {                                  \
    __atomic_store_n(p, value, __ATOMIC_SEQ_CST);                                                  \
  }                                                                                                \
  T __tsan_atomic##bits##_exchange(volatile T* p, T value, int) {                                  \
    return __atomic_exchange_n(p, value, __ATOMIC_SEQ_CST);                                        \
  }                                                                                                \
  T __tsan_atomic##bits##_fetch_add(volatile T* p, T value, int) {                                 \
    return __atomic_fetch_add(p, value, __ATOMIC_SEQ_CST);                                         \
  }                                                                                                \
  T __tsan_atomic##bits##_fetch_sub(volatile T* p, T value, int) {                                 \
    return __atomic_fetch_sub(p, value, __ATOMIC_SEQ_CST);                                         \
  }                                                                                                \
  T __tsan_atomic##bits##_fetch_and(volatile T* p, T value, int) {                                 \
    return __atomic_fetch_and(p, value, __ATOMIC_SEQ_CST);                                         \
  }                                                                                                \
  T __tsan_atomic##bits##_fetch_or(volatile T* p, T value, int) {                                  \
    return __atomic_fetch_or(p, value, __ATOMIC_SEQ_CST);                                          \
  }                                                                                                \
  T __tsan_atomic##bits##_fetch_xor(volatile T* p, T value, int) {                                 \
    return __atomic_fetch_xor(p, value, __ATOMIC_SEQ_CST);                                         \
  }                                                                                                \
  T __tsan_atomic##bits##_fetch_nand(volatile T* p, T value, int) {                                \
    return __atomic_fetch_nand(p, value, __ATOMIC_SEQ_CST);                                        \
  }                                                                                                \
  int __tsan_atomic##bits##_compare_exchange_strong(volatile T* p, T* expected, T value, int,      \
                                                    int) {                                         \
    return __atomic_compare_exchange_n(p, expected, value, false, __ATOMIC_SEQ_CST,                \
                                       __ATOMIC_SEQ_CST);                                          \
  }                                                                                                \
  int __tsan_atomic##bits##_compare_exchange_weak(volatile T* p, T* expected, T value, int, int) { \
    return __atomic_compare_exchange_n(p, expected, value, true, __ATOMIC_SEQ_CST,                 \
                                       __ATOMIC_SEQ_CST);                                          \
  }                                                                                                \
  T __tsan_atomic##bits##_compare_exchange_val(volatile T* p, T expected, T value, int, int) {     \
    __atomic_compare_exchange_n(p, &expected, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);   \
    return expected;                                                                               \
  }
DEFINE_ATOMICS(8, uint8_t)
DEFINE_ATOMICS(16, uint16_t)
DEFINE_ATOMICS(32, uint32_t)
DEFINE_ATOMICS(64, uint64_t)

}  // extern "C"
