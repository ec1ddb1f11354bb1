// This processor's own memory.
#include <cstring>
#include <new>

#include "kernels/core/op.h"

namespace topograd {

namespace {

constexpr std::align_val_t kAlignment{64};  // a cache line, and the widest vector register

void copy(void* target, const void* source, int64_t bytes) {
  std::memcpy(target, source, static_cast<size_t>(bytes));
}

}  // namespace

void register_device_cpu(OpRegistry& registry) {
  registry.add_device(
      {.device = Device::cpu,
       .available = [] { return true; },
       .describe = [] { return std::string("this processor"); },
       .allocate =
           [](int64_t bytes) { return ::operator new(static_cast<size_t>(bytes), kAlignment); },
       .release = [](void* memory) { ::operator delete(memory, kAlignment); },
       .copy_in = copy,
       .copy_out = copy,
       .copy_within = copy,
       .fill_zero = [](void* target,
                       int64_t bytes) { std::memset(target, 0, static_cast<size_t>(bytes)); },
       .synchronise = [] {}});
}

}  // namespace topograd
