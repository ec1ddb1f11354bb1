// Device memory of the emulator: ordinary memory of this process that host code must not touch
// except through these functions. Under AddressSanitizer, touching it otherwise is an error.
#pragma once

#include <cstdint>

namespace topograd::simt {

/// Allocates `bytes` of device memory, 256-byte aligned and exactly that long, filled with 0xff:
/// every float in it is NaN until it is written. Zero bytes are allowed.
void* allocate(int64_t bytes);

/// Frees what allocate() returned; nullptr is ignored.
void release(void* base);

// Copies; the device's addresses may lie anywhere inside an allocation. They throw Error where a
// range leaves its allocation, or where host and device memory are mixed up.
void copy_to_device(void* device, const void* host, int64_t bytes);
void copy_to_host(void* host, const void* device, int64_t bytes);
/// Copies from device to device; the ranges may overlap.
void copy_within(void* to, const void* from, int64_t bytes);
void fill_zero(void* device, int64_t bytes);

}  // namespace topograd::simt
