// Memory of a device, as tensors need it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace topograd {

class Context;

/// Kind of device. cpu: this processor. cuda: an NVIDIA GPU. simt: the CUDA kernels, emulated on
/// this processor.
enum class Device { cpu, cuda, simt };
std::string_view name_of(Device device);
/// Returns the device of this name: "cpu", "cuda" or "simt". Throws Error that lists them for any
/// other.
Device device_named(std::string_view name);

/// Functions of one kind of device. Copies and fills are done when they return, and come after all
/// work that was handed to the device before them.
struct DeviceDriver {
  Device device;
  bool (*available)();               ///< whether this machine has one that works
  std::string (*describe)();         ///< "NVIDIA H200, 139 GiB"; only where available
  void* (*allocate)(int64_t bytes);  ///< at least 64-byte aligned, uninitialised; throws Error
  void (*release)(void* memory);
  void (*copy_in)(void* target, const void* host_source, int64_t bytes);
  void (*copy_out)(void* host_target, const void* source, int64_t bytes);
  void (*copy_within)(void* target, const void* source, int64_t bytes);
  void (*fill_zero)(void* target, int64_t bytes);
  void (*synchronise)();  ///< waits for all work handed to the device
  /// Records the operations that `work` queues on a context, without running them, and runs a
  /// recording; null where the device has no such thing.
  std::shared_ptr<void> (*record)(Context& context, const std::function<void()>& work) = nullptr;
  void (*replay)(Context& context, void* recorded) = nullptr;
  /// Says why it is not available, and how to mend it; null where it always is.
  std::string (*absence)() = nullptr;
};

/// Returns the driver of a device. Throws Error where this build has none.
const DeviceDriver& driver_of(Device device);
/// Whether this build knows the device and this machine has one.
bool is_available(Device device);
/// Returns one line that says why a device that this build knows is not available, and how to mend
/// it; empty where it is.
std::string why_unavailable(Device device);
/// Waits for all work on a device.
void synchronise(Device device);

}  // namespace topograd
