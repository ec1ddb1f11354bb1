// Messages of the runtime to the memory checker (race.cpp). In a program without the checker these
// are empty functions, which checker.cpp defines weakly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace topograd::simt::emulator {

enum class Access {
  read,
  write,
  atomic,       // reads and writes
  copy_issued,  // cp.async: the bytes will be written until its wait
  copy_done     // the wait
};

/// Checks an access of the running thread. The program counter is the one after it.
void check_access(const void* address, size_t bytes, Access kind, const void* program_counter);

/// Checks that an access of 8 or 16 bytes lies at a multiple of 8. The compilers, which make such
/// accesses out of smaller ones, promise no more.
void check_alignment(const void* address, const void* program_counter);

void check_allocated(const void* base, size_t bytes);
void check_released(const void* base);
/// Records that the host has defined these bytes.
void check_host_write(const void* address, size_t bytes);
/// Records a device-to-device copy: undefined bytes stay undefined.
void check_device_copy(const void* to, const void* from, size_t bytes);

void check_launch_started(const void* arguments, size_t argument_bytes);
void check_block_started(int threads);
void check_block_barrier();
void check_warp_barrier(int first_thread, unsigned mask);
void check_fence();
/// Returns what was found since the launch started, on one line; empty where nothing was.
std::string check_launch_ended();

bool checker_linked();

}  // namespace topograd::simt::emulator
