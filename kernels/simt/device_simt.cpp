// The emulated device, as tensors and launches see it. tests/mock_cuda defines the same names, for
// programs in which the kernels belong to a device cuda.
#include "kernels/core/op.h"
#include "kernels/simt/memory.h"
#include "kernels/simt/runtime.h"

namespace topograd::simt {

extern const Device kDevice;  // const would make it this file's own
const Device kDevice = Device::simt;

void emulator::submit(const Kernel& kernel, dim3 grid, dim3 block, size_t shared_bytes, Context&) {
  run_grid(kernel, grid, block, shared_bytes);
}

void register_device_simt(OpRegistry& registry) {
  registry.add_device({.device = Device::simt,
                       .available = [] { return true; },
                       .describe = [] { return std::string("CUDA kernels, emulated"); },
                       .allocate = allocate,
                       .release = release,
                       .copy_in = copy_to_device,
                       .copy_out = copy_to_host,
                       .copy_within = copy_within,
                       .fill_zero = fill_zero,
                       .synchronise = [] {}});  // launches are done when they return
}

}  // namespace topograd::simt
