// Atomic operations and fences. One thread runs at a time and is only switched where it waits, so
// a plain read, modify and write is atomic; the memory checker is told what it was.
#pragma once

#include <type_traits>

#include "kernels/simt/runtime.h"

namespace topograd::simt {

namespace emulator {

template <class T>
concept AtomicNumber =
    std::is_same_v<T, int> || std::is_same_v<T, unsigned> || std::is_same_v<T, unsigned long long>;
template <class T>
concept AddableNumber = AtomicNumber<T> || std::is_same_v<T, float> || std::is_same_v<T, double>;

/// Applies an operation to a number and returns the old one. Not inlined, so that the return
/// address is the kernel's line; not instrumented, because the checker would take the accesses for
/// ordinary ones.
template <class T, class Operation>
__attribute__((noinline)) TOPOGRAD_SIMT_UNWATCHED T read_modify_write(T* address,
                                                                      Operation operation) {
  announce_atomic(address, sizeof(T), __builtin_return_address(0));
  const T old = *address;
  *address = operation(old);
  return old;
}

}  // namespace emulator

// The operands are type_identity_t, so that atomicAdd(float*, int) converts as CUDA's overloads do.
template <emulator::AddableNumber T>
__attribute__((always_inline)) inline T atomicAdd(T* address, std::type_identity_t<T> value) {
  return emulator::read_modify_write(address,
                                     [value](T old) { return static_cast<T>(old + value); });
}
template <emulator::AtomicNumber T>
__attribute__((always_inline)) inline T atomicMax(T* address, std::type_identity_t<T> value) {
  return emulator::read_modify_write(address, [value](T old) { return old < value ? value : old; });
}
template <emulator::AtomicNumber T>
__attribute__((always_inline)) inline T atomicMin(T* address, std::type_identity_t<T> value) {
  return emulator::read_modify_write(address, [value](T old) { return value < old ? value : old; });
}
template <class T>
requires(emulator::AtomicNumber<T> || std::is_same_v<T, float>)
    __attribute__((always_inline)) inline T atomicExch(T* address, std::type_identity_t<T> value) {
  return emulator::read_modify_write(address, [value](T) { return value; });
}
template <emulator::AtomicNumber T>
__attribute__((always_inline)) inline T atomicCAS(T* address, std::type_identity_t<T> expected,
                                                  std::type_identity_t<T> value) {
  return emulator::read_modify_write(
      address, [expected, value](T old) { return old == expected ? value : old; });
}

/// Makes what this thread wrote before it visible to threads that see its next atomic operation.
inline void __threadfence() {
  emulator::announce_fence();
}
/// Within a block, atomic operations order nothing here: threads meet at barriers.
inline void __threadfence_block() {}

}  // namespace topograd::simt
