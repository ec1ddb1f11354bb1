// The memory checker's absence: race.cpp, where it is linked, overrides all of these.
#include "kernels/simt/checker.h"

#define TOPOGRAD_SIMT_WEAK __attribute__((weak))

namespace topograd::simt::emulator {

TOPOGRAD_SIMT_WEAK void check_access(const void*, size_t, Access, const void*) {}
TOPOGRAD_SIMT_WEAK void check_allocated(const void*, size_t) {}
TOPOGRAD_SIMT_WEAK void check_released(const void*) {}
TOPOGRAD_SIMT_WEAK void check_host_write(const void*, size_t) {}
TOPOGRAD_SIMT_WEAK void check_device_copy(const void*, const void*, size_t) {}
TOPOGRAD_SIMT_WEAK void check_launch_started(const void*, size_t) {}
TOPOGRAD_SIMT_WEAK void check_block_started(int) {}
TOPOGRAD_SIMT_WEAK void check_block_barrier() {}
TOPOGRAD_SIMT_WEAK void check_warp_barrier(int, unsigned) {}
TOPOGRAD_SIMT_WEAK void check_fence() {}
TOPOGRAD_SIMT_WEAK std::string check_launch_ended() {
  return {};
}
TOPOGRAD_SIMT_WEAK bool checker_linked() {
  return false;
}

}  // namespace topograd::simt::emulator
