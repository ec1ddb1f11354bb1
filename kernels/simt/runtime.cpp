#include "kernels/simt/runtime.h"

#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>

#include "kernels/simt/atomics.h"
#include "kernels/simt/checker.h"
#include "kernels/simt/runtime_internal.h"
#include "kernels/simt/schedule.h"
#include "kernels/simt/scheduler.h"

// Symbols of the linker: the section of the static __shared__ variables, where a program has any,
// and .bss.
extern char __start_simt_shared[] __attribute__((weak));
extern char __stop_simt_shared[] __attribute__((weak));
extern char __bss_start;
extern char _end;

namespace topograd::simt {

namespace emulator {

namespace {

constexpr size_t kMaxSharedBytes = 227 * 1024;  // per block, compute capability 9.0

std::mutex host_mutex;

struct Free {
  void operator()(unsigned char* memory) const { std::free(memory); }
};
std::unique_ptr<unsigned char, Free> dynamic_memory;
size_t dynamic_bytes = 0;

void check_sizes(dim3 grid, dim3 block, size_t shared_bytes) {
  const auto shape = [](dim3 d) { return text('(', d.x, ", ", d.y, ", ", d.z, ')'); };
  const uint64_t threads = uint64_t{block.x} * block.y * block.z;
  require(block.x <= kMaxThreads && block.y <= kMaxThreads && block.z <= 64 && threads >= 1 &&
              threads <= kMaxThreads,
          "launching a kernel: a block of ", shape(block), " is not 1 to 1024 threads");
  require(grid.x >= 1 && grid.x <= 0x7fffffffu && grid.y >= 1 && grid.y <= 0xffff && grid.z >= 1 &&
              grid.z <= 0xffff,
          "launching a kernel: a grid of ", shape(grid), " is empty or too large");
  require(shared_bytes <= kMaxSharedBytes, "launching a kernel: ", shared_bytes,
          " bytes of shared memory; a block can have ", kMaxSharedBytes);
}

/// Allocates a heap block of the exact size, so that AddressSanitizer sees where it ends.
void size_dynamic_shared(size_t bytes) {
  if (dynamic_memory && bytes == dynamic_bytes) return;
  void* memory = nullptr;
  require(posix_memalign(&memory, 1024, bytes ? bytes : 1) == 0, "out of memory");
  dynamic_memory.reset(static_cast<unsigned char*>(memory));
  dynamic_bytes = bytes;
}

/// Fills shared memory with NaN, whatever type it is read as: it starts undefined. volatile,
/// because a memset would stop at AddressSanitizer's red zones between the variables.
__attribute__((no_sanitize("address"))) void undefine_static_shared() {
  char* at = __start_simt_shared;
  for (; at != __stop_simt_shared && reinterpret_cast<uintptr_t>(at) % 8 != 0; ++at)
    *static_cast<volatile char*>(at) = '\xff';
  for (; __stop_simt_shared - at >= 8; at += 8)
    *reinterpret_cast<volatile uint64_t*>(at) = ~uint64_t{0};
  for (; at != __stop_simt_shared; ++at) *static_cast<volatile char*>(at) = '\xff';
}

}  // namespace

HostLock::HostLock(const char* operation) {
  require(!inside_kernel(), operation, " from inside a kernel");
  host_mutex.lock();
}

HostLock::~HostLock() {
  host_mutex.unlock();
}

const char* file_name(const char* path) {
  const char* slash = std::strrchr(path, '/');
  return slash ? slash + 1 : path;
}

void fail_in_kernel(Place place, const std::string& message) {
  fail(message, ", at ", file_name(place.file), ':', place.line, ", block (", blockIdx.x, ',',
       blockIdx.y, ',', blockIdx.z, ") thread (", threadIdx.x, ',', threadIdx.y, ',', threadIdx.z,
       ')');
}

void fail_absent_source(Place place, int lane) {
  fail_in_kernel(place, text("a shuffle reads lane ", lane, ", which does not take part"));
}

void run_grid(const Kernel& kernel, dim3 grid, dim3 block, size_t shared_bytes) {
  const HostLock lock("launching a kernel");
  check_sizes(grid, block, shared_bytes);
  size_dynamic_shared(shared_bytes);
  std::memset(dynamic_memory.get(), 0xff, shared_bytes);
  undefine_static_shared();
  const DeviceMemoryOpen device_memory;
  check_launch_started(kernel.arguments, kernel.argument_bytes);
  std::string error = scheduler.run(kernel, grid, block);
  const std::string findings = check_launch_ended();
  if (!error.empty() && !findings.empty()) error += "; ";
  error += findings;
  if (!error.empty()) throw Error(error);
}

void* dynamic_shared_memory() {
  return dynamic_memory.get();
}

MemoryRange static_shared() {
  const auto begin = reinterpret_cast<uintptr_t>(__start_simt_shared);
  return {begin, reinterpret_cast<uintptr_t>(__stop_simt_shared) - begin};
}

MemoryRange zero_initialised() {
  const auto begin = reinterpret_cast<uintptr_t>(&__bss_start);
  return {begin, reinterpret_cast<uintptr_t>(&_end) - begin};
}

MemoryRange dynamic_shared_range() {
  return {reinterpret_cast<uintptr_t>(dynamic_memory.get()), dynamic_bytes};
}

bool is_shared(const void* address) {
  const auto at = reinterpret_cast<uintptr_t>(address);
  return static_shared().contains(at) || dynamic_shared_range().contains(at) ||
         zero_initialised().contains(at);
}

void announce_atomic(const void* address, size_t bytes, const void* program_counter) {
  check_access(address, bytes, Access::atomic, program_counter);
}

void announce_fence() {
  check_fence();
}

}  // namespace emulator

void set_schedule_seed(unsigned seed) {
  const emulator::HostLock lock("setting the schedule");
  emulator::scheduler.set_seed(seed);
}

bool race_checker_present() {
  return emulator::checker_linked();
}

}  // namespace topograd::simt
