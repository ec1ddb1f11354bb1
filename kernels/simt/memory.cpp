#include "kernels/simt/memory.h"

#include <cstdlib>
#include <cstring>
#include <map>

#include "kernels/core/check.h"
#include "kernels/simt/checker.h"
#include "kernels/simt/runtime_internal.h"

#ifndef __has_feature  // clang's question; g++ defines __SANITIZE_ADDRESS__
#define __has_feature(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, bytes)
#define ASAN_UNPOISON_MEMORY_REGION(address, bytes)
#endif

namespace topograd::simt {

namespace emulator {

namespace {

constexpr size_t kAlignment = 256;  // cudaMalloc's

/// Base address and size of every allocation. Never destroyed: memory may be released while static
/// objects are.
std::map<uintptr_t, size_t>& allocations() {
  static auto& all = *new std::map<uintptr_t, size_t>;
  return all;
}

struct Allocation {
  uintptr_t base = 0;
  size_t bytes = 0;
  uintptr_t end() const { return base + bytes; }
};

/// Returns the allocation that begins at or before `address`; where there is none, an empty one.
Allocation allocation_below(uintptr_t address) {
  auto next = allocations().upper_bound(address);
  if (next == allocations().begin()) return {};
  --next;
  return {next->first, next->second};
}

/// Opens one allocation to the host for the duration of a copy, having checked the range.
class OpenRange {
 public:
  OpenRange(const char* operation, const void* address, int64_t bytes) {
    const auto first = reinterpret_cast<uintptr_t>(address);
    allocation_ = allocation_below(first);
    require(bytes >= 0, operation, ": ", bytes, " bytes");
    require(bytes == 0 || first < allocation_.end(), operation, ": ", address,
            " is not device memory");
    require(bytes == 0 || static_cast<size_t>(bytes) <= allocation_.end() - first, operation, ": ",
            bytes, " bytes at offset ", first - allocation_.base, " of an allocation of ",
            allocation_.bytes);
    ASAN_UNPOISON_MEMORY_REGION(reinterpret_cast<void*>(allocation_.base), allocation_.bytes);
  }
  ~OpenRange() {
    ASAN_POISON_MEMORY_REGION(reinterpret_cast<void*>(allocation_.base), allocation_.bytes);
  }
  OpenRange(const OpenRange&) = delete;
  OpenRange& operator=(const OpenRange&) = delete;

 private:
  Allocation allocation_;
};

void require_host_memory(const char* operation, const void* address) {
  const auto first = reinterpret_cast<uintptr_t>(address);
  require(first >= allocation_below(first).end(), operation, ": ", address,
          " is device memory, not the host's");
}

}  // namespace

DeviceMemoryOpen::DeviceMemoryOpen() {
  for ([[maybe_unused]] const auto& [base, bytes] : allocations())
    ASAN_UNPOISON_MEMORY_REGION(reinterpret_cast<void*>(base), bytes);
}

DeviceMemoryOpen::~DeviceMemoryOpen() {
  for ([[maybe_unused]] const auto& [base, bytes] : allocations())
    ASAN_POISON_MEMORY_REGION(reinterpret_cast<void*>(base), bytes);
}

}  // namespace emulator

using emulator::HostLock;
using emulator::OpenRange;

void* allocate(int64_t bytes) {
  const HostLock lock("allocating device memory");
  require(bytes >= 0, "allocating device memory: ", bytes, " bytes");
  const size_t size = static_cast<size_t>(bytes);
  void* base = nullptr;
  require(posix_memalign(&base, emulator::kAlignment, size ? size : 1) == 0,
          "out of device memory: ", bytes, " bytes");
  std::memset(base, 0xff, size);
  emulator::allocations()[reinterpret_cast<uintptr_t>(base)] = size;
  emulator::check_allocated(base, size);
  ASAN_POISON_MEMORY_REGION(base, size);
  return base;
}

void release(void* base) {
  if (!base) return;
  const HostLock lock("releasing device memory");
  const auto found = emulator::allocations().find(reinterpret_cast<uintptr_t>(base));
  require(found != emulator::allocations().end(), "releasing device memory: ", base,
          " is not the beginning of an allocation");
  ASAN_UNPOISON_MEMORY_REGION(base, found->second);
  emulator::check_released(base);
  emulator::allocations().erase(found);
  std::free(base);
}

void copy_to_device(void* device, const void* host, int64_t bytes) {
  const HostLock lock("copy_to_device");
  const OpenRange to("copy_to_device", device, bytes);
  if (bytes == 0) return;
  emulator::require_host_memory("copy_to_device", host);
  std::memcpy(device, host, static_cast<size_t>(bytes));
  emulator::check_host_write(device, static_cast<size_t>(bytes));
}

void copy_to_host(void* host, const void* device, int64_t bytes) {
  const HostLock lock("copy_to_host");
  const OpenRange from("copy_to_host", device, bytes);
  if (bytes == 0) return;
  emulator::require_host_memory("copy_to_host", host);
  std::memcpy(host, device, static_cast<size_t>(bytes));
}

void copy_within(void* to, const void* from, int64_t bytes) {
  const HostLock lock("copy_within");
  const OpenRange target("copy_within", to, bytes);
  const OpenRange source("copy_within", from, bytes);
  if (bytes == 0) return;
  std::memmove(to, from, static_cast<size_t>(bytes));
  emulator::check_device_copy(to, from, static_cast<size_t>(bytes));
}

void fill_zero(void* device, int64_t bytes) {
  const HostLock lock("fill_zero");
  const OpenRange range("fill_zero", device, bytes);
  if (bytes == 0) return;
  std::memset(device, 0, static_cast<size_t>(bytes));
  emulator::check_host_write(device, static_cast<size_t>(bytes));
}

}  // namespace topograd::simt
