// Queries, memory and copies. Memory is the emulator's, which knows what is the device's and what
// the host's.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "kernels/core/check.h"
#include "kernels/simt/memory.h"
#include "tests/mock_cuda/state.h"

namespace topograd::mock_cuda {

namespace {

thread_local int chosen_device = 0;

/// Status of the device's queries: a driver that is older than the runtime, or no GPU.
cudaError_t reachable() {
  const Machine& machine = state().machine;
  if (machine.driver_version / 1000 < CUDART_VERSION / 1000) return cudaErrorInsufficientDriver;
  return machine.devices == 0 ? cudaErrorNoDevice : cudaSuccess;
}

bool is_pinned(const void* host) {
  const auto address = reinterpret_cast<uintptr_t>(host);
  const auto next = state().pinned.upper_bound(address);
  if (next == state().pinned.begin()) return false;
  const auto& [base, bytes] = *std::prev(next);
  return address - base < bytes;
}

/// Copies now. Throws Error where a range leaves its allocation, or host and device are mixed up.
void copy(void* target, const void* source, size_t bytes, cudaMemcpyKind kind) {
  const auto count = static_cast<int64_t>(bytes);
  if (kind == cudaMemcpyHostToDevice)
    simt::copy_to_device(target, source, count);
  else if (kind == cudaMemcpyDeviceToHost)
    simt::copy_to_host(target, source, count);
  else
    simt::copy_within(target, source, count);
}

/// Fills memory with a byte: 0 alone, which is what the project asks for.
void fill(void* target, size_t bytes) {
  simt::fill_zero(target, static_cast<int64_t>(bytes));
}

template <class Function>
cudaError_t attempt(const Function& function) {
  try {
    function();
    return cudaSuccess;
  } catch (const Error& error) {
    state().failure = error.what();
    return cudaErrorInvalidValue;
  }
}

}  // namespace

int current_device() {
  return chosen_device;
}

}  // namespace topograd::mock_cuda

using namespace topograd::mock_cuda;
using topograd::Error;

#define TOPOGRAD_LOCKED const std::lock_guard lock(state().mutex)

cudaError_t cudaDriverGetVersion(int* version) {
  *version = state().machine.driver_version;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = CUDART_VERSION;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int* count) {
  TOPOGRAD_LOCKED;
  *count = reachable() == cudaSuccess ? state().machine.devices : 0;
  return returned(reachable());
}

cudaError_t cudaGetDevice(int* device) {
  *device = chosen_device;
  return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
  TOPOGRAD_LOCKED;
  if (const cudaError_t status = reachable()) return returned(status);
  if (device < 0 || device >= state().machine.devices) return returned(cudaErrorInvalidDevice);
  chosen_device = device;
  return returned(cudaSuccess);
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr, int device) {
  TOPOGRAD_LOCKED;
  if (const cudaError_t status = reachable()) return returned(status);
  if (device < 0 || device >= state().machine.devices) return returned(cudaErrorInvalidDevice);
  *value = state().machine.compute_capability_major;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  std::strcpy(properties->name, "CUDA without a GPU");
  properties->totalGlobalMem = size_t{1} << 30;
  return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize() {
  TOPOGRAD_LOCKED;
  ++state().counts.waits;
  if (const cudaError_t refusal = refuse_during_capture(true, true)) return returned(refusal);
  return returned(run_pending());
}

cudaError_t cudaMalloc(void** memory, size_t bytes) {
  TOPOGRAD_LOCKED;
  ++state().counts.allocations;
  if (const cudaError_t refusal = refuse_during_capture(true, false)) return returned(refusal);
  return returned(
      attempt([&] { *memory = topograd::simt::allocate(static_cast<int64_t>(bytes)); }));
}

cudaError_t cudaFree(void* memory) {
  TOPOGRAD_LOCKED;
  if (!memory) return returned(cudaSuccess);
  if (const cudaError_t refusal = refuse_during_capture(true, false)) return returned(refusal);
  run_pending();  // cudaFree waits for all that may use it
  return returned(attempt([&] { topograd::simt::release(memory); }));
}

cudaError_t cudaHostAlloc(void** memory, size_t bytes, unsigned) {
  TOPOGRAD_LOCKED;
  ++state().counts.allocations;
  if (const cudaError_t refusal = refuse_during_capture(true, false)) return returned(refusal);
  *memory = std::aligned_alloc(4096, (std::max<size_t>(bytes, 1) + 4095) / 4096 * 4096);
  state().pinned[reinterpret_cast<uintptr_t>(*memory)] = bytes;
  return returned(cudaSuccess);
}

cudaError_t cudaFreeHost(void* memory) {
  TOPOGRAD_LOCKED;
  if (!memory) return returned(cudaSuccess);
  if (const cudaError_t refusal = refuse_during_capture(true, false)) return returned(refusal);
  run_pending();
  if (state().pinned.erase(reinterpret_cast<uintptr_t>(memory)) == 0)
    return returned(cudaErrorInvalidValue);
  std::free(memory);
  return returned(cudaSuccess);
}

cudaError_t cudaMemcpy(void* target, const void* source, size_t bytes, cudaMemcpyKind kind) {
  TOPOGRAD_LOCKED;
  ++state().counts.blocking_copies;
  if (const cudaError_t refusal = refuse_during_capture(true, true)) return returned(refusal);
  if (const cudaError_t failed = run_pending()) return returned(failed);
  return returned(attempt([&] { copy(target, source, bytes, kind); }));
}

cudaError_t cudaMemcpyAsync(void* target, const void* source, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  TOPOGRAD_LOCKED;
  const bool to_device = kind == cudaMemcpyHostToDevice;
  const bool from_device = kind == cudaMemcpyDeviceToHost;
  const bool pageable = (to_device && !is_pinned(source)) || (from_device && !is_pinned(target));
  if (!pageable) return returned(submit(stream, [=] { copy(target, source, bytes, kind); }));
  // The driver takes a copy of pageable memory before it returns, or waits for it to be written; a
  // capture refuses either.
  ++state().counts.blocking_copies;
  if (stream && stream != cudaStreamLegacy && stream->capture) {
    stream->capture->invalid = true;
    return returned(cudaErrorStreamCaptureUnsupported);
  }
  if (from_device) {
    const cudaError_t status = submit(stream, [=] { copy(target, source, bytes, kind); });
    return returned(status == cudaSuccess ? run_pending() : status);
  }
  const std::shared_ptr<char[]> staged(new char[bytes]);
  std::memcpy(staged.get(), source, bytes);
  return returned(submit(stream, [=] { copy(target, staged.get(), bytes, kind); }));
}

cudaError_t cudaMemset(void* target, int value, size_t bytes) {
  return cudaMemsetAsync(target, value, bytes, nullptr);
}

cudaError_t cudaMemsetAsync(void* target, int value, size_t bytes, cudaStream_t stream) {
  TOPOGRAD_LOCKED;
  if (value != 0) return returned(cudaErrorInvalidValue);
  return returned(submit(stream, [=] { fill(target, bytes); }));
}
