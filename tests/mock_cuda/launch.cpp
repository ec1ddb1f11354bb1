// Launches: the emulator's kernels behind a stream of the mock, as rows of the device cuda.
#include <cstring>

#include "kernels/core/op.h"
#include "kernels/cuda/cuda_context.h"
#include "tests/mock_cuda/state.h"

namespace topograd::mock_cuda {

namespace {

constexpr size_t kSharedWithoutAsking = 48 * 1024;
constexpr int kMaxShared = 227 * 1024;  // compute capability 9.0

bool is_legal(simt::dim3 grid, simt::dim3 block) {
  const uint64_t threads = uint64_t{block.x} * block.y * block.z;
  return block.x <= 1024 && block.y <= 1024 && block.z <= 64 && threads >= 1 && threads <= 1024 &&
         grid.x >= 1 && grid.x <= 0x7fffffffU && grid.y >= 1 && grid.y <= 0xffff && grid.z >= 1 &&
         grid.z <= 0xffff;
}

}  // namespace

cudaError_t launch_kernel(const simt::emulator::Kernel& kernel, simt::dim3 grid, simt::dim3 block,
                          size_t shared_bytes, cudaStream_t stream) {
  State& all = state();
  const std::lock_guard lock(all.mutex);
  ++all.counts.launches;
  if (!is_legal(grid, block)) return returned(cudaErrorInvalidConfiguration);
  const auto limit = all.shared_limits.find(kernel.function);
  const size_t allowed =
      limit == all.shared_limits.end() ? kSharedWithoutAsking : static_cast<size_t>(limit->second);
  if (shared_bytes > allowed) return returned(cudaErrorInvalidValue);
  if (all.recording) all.launches.push_back({kernel.function, grid, block, shared_bytes});
  const std::shared_ptr<std::byte[]> arguments(new std::byte[kernel.argument_bytes]);
  std::memcpy(arguments.get(), kernel.arguments, kernel.argument_bytes);
  return returned(submit(stream, [=, call = kernel]() mutable {
    ++state().counts.kernels_executed;
    call.arguments = arguments.get();
    simt::emulator::run_grid(call, grid, block, shared_bytes);
  }));
}

}  // namespace topograd::mock_cuda

cudaError_t cudaFuncSetAttribute(const void* function, cudaFuncAttribute, int value) {
  using namespace topograd::mock_cuda;
  const std::lock_guard lock(state().mutex);
  if (value < 0 || value > kMaxShared) return returned(cudaErrorInvalidValue);
  state().shared_limits[function] = value;
  return returned(cudaSuccess);
}

namespace topograd::cuda {

void register_device_cuda(OpRegistry& registry);

}  // namespace topograd::cuda

namespace topograd::mock_cuda {

void register_pretended_cudnn(OpRegistry& registry);

}  // namespace topograd::mock_cuda

// What kernels/simt/device_simt.cpp defines elsewhere. The device is registered after the kernels'
// rows, so that the pretended one stands before them, as cuDNN's does.
namespace topograd::simt {

extern const Device kDevice;
const Device kDevice = Device::cuda;

/// Launches as kernels/core/launch.h does under nvcc.
void emulator::submit(const Kernel& kernel, dim3 grid, dim3 block, size_t shared_bytes,
                      Context& context) {
  if (shared_bytes > mock_cuda::kSharedWithoutAsking)
    cuda::check(cudaFuncSetAttribute(kernel.function, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                     static_cast<int>(shared_bytes)),
                "raising a kernel's shared memory");
  mock_cuda::launch_kernel(kernel, grid, block, shared_bytes, cuda::stream_of(context));
  cuda::check(cudaGetLastError(), "launching a kernel");
}

void register_device_simt(OpRegistry& registry) {
  cuda::register_device_cuda(registry);
  mock_cuda::register_pretended_cudnn(registry);
}

}  // namespace topograd::simt
