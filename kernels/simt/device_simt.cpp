// The emulated device, as tensors see it.
#include "kernels/core/op.h"
#include "kernels/simt/memory.h"

namespace topograd::simt {

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
