// Shared by the runtime's files, beside the scheduler.
#pragma once

#include <cstddef>
#include <cstdint>

namespace topograd::simt::emulator {

/// Refuses calls from inside a kernel, and lets one host thread at a time go on.
class HostLock {
 public:
  explicit HostLock(const char* operation);
  ~HostLock();
  HostLock(const HostLock&) = delete;
  HostLock& operator=(const HostLock&) = delete;
};

/// Opens device memory to the host while it lives, for AddressSanitizer's build.
class DeviceMemoryOpen {
 public:
  DeviceMemoryOpen();
  ~DeviceMemoryOpen();
  DeviceMemoryOpen(const DeviceMemoryOpen&) = delete;
  DeviceMemoryOpen& operator=(const DeviceMemoryOpen&) = delete;
};

struct MemoryRange {
  uintptr_t base;
  size_t bytes;
  bool contains(uintptr_t address) const { return address - base < bytes; }
};
/// Returns the range of all __shared__ variables, but for those of g++'s function templates: these
/// are somewhere in zero_initialised(), the program's .bss.
MemoryRange static_shared();
MemoryRange zero_initialised();
/// Returns the block's dynamic shared memory.
MemoryRange dynamic_shared_range();
bool is_shared(const void* address);

/// Starts a block with no asynchronous copies under way.
void forget_copies(int threads);

/// Returns the last component of a path, as reports show it.
const char* file_name(const char* path);

}  // namespace topograd::simt::emulator
