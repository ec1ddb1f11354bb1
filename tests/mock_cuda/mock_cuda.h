// A CUDA runtime without a GPU: what tests ask of it beside CUDA's own functions.
//
// A program that links tests/mock_cuda has a device cuda: kernels/cuda/device_cuda.cpp and
// cuda_context.cpp as they are, over the functions of include/cuda_runtime.h, and the emulator's
// kernels behind their launches. Nothing runs before somebody waits for it; then everything runs in
// the order of the calls. What CUDA refuses is refused here with CUDA's status.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cuda_runtime.h"
#include "kernels/simt/runtime.h"

namespace topograd::mock_cuda {

/// Kernel as it was handed to a stream.
struct Launch {
  const void* function;
  simt::dim3 grid, block;
  size_t shared_bytes;
};
/// Returns the kernel's name, without namespaces and parameters, from the program's own table of
/// symbols; its address where that is stripped.
std::string kernel_name(const void* function);

/// Numbers of calls since the program began.
struct Counts {
  int64_t launches = 0;          ///< kernels, those of a capture too
  int64_t graph_launches = 0;    ///< recordings handed to a stream
  int64_t allocations = 0;       ///< cudaMalloc and cudaHostAlloc
  int64_t blocking_copies = 0;   ///< cudaMemcpy, and asynchronous copies to or from pageable memory
  int64_t waits = 0;             ///< cudaStream-, cudaEvent- and cudaDeviceSynchronize
  int64_t kernels_executed = 0;  ///< of launches and of graphs
};
Counts counts();
/// Returns the difference of two.
Counts operator-(const Counts& after, const Counts& before);

/// Begins a list of the kernels handed to streams, and returns the list so far.
void record_launches();
std::vector<Launch> recorded_launches();
/// Returns the number of nodes of the graph that was instantiated last.
int64_t nodes_of_last_graph();

/// The machine that CUDA's queries describe.
struct Machine {
  int devices = 1;
  int driver_version = CUDART_VERSION;
  int compute_capability_major = 9;
};
void set_machine(const Machine& machine);
/// Returns the device that the calling thread has chosen.
int current_device();

/// Lets the device have a row "cudnn" of fused_conv, as a build with cuDNN has: it calls the project's
/// own row once for every point.
void pretend_cudnn(bool there);

/// Forgets a kernel's failure, which stays with a process on a real GPU.
void forget_failure();
/// Returns what the emulator said of the kernel that failed.
std::string failure();

/// Puts a kernel into a stream, as <<<grid, block, shared_bytes, stream>>> does.
cudaError_t launch_kernel(const simt::emulator::Kernel& kernel, simt::dim3 grid, simt::dim3 block,
                          size_t shared_bytes, cudaStream_t stream);

}  // namespace topograd::mock_cuda
