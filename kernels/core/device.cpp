#include "kernels/core/device.h"

#include "kernels/core/op.h"

namespace topograd {

std::string_view name_of(Device device) {
  switch (device) {
    case Device::cpu:
      return "cpu";
    case Device::cuda:
      return "cuda";
    case Device::simt:
      return "simt";
  }
  return "?";
}

Device device_named(std::string_view name) {
  for (Device device : {Device::cpu, Device::cuda, Device::simt})
    if (name == name_of(device)) return device;
  fail("unknown device '", name, "': choose cpu, cuda or simt");
}

const DeviceDriver& driver_of(Device device) {
  const DeviceDriver* driver = OpRegistry::instance().driver(device);
  require(driver != nullptr, "this build has no device ", name_of(device),
          device == Device::cuda ? "; build it where the CUDA toolkit is installed" : "");
  return *driver;
}

bool is_available(Device device) {
  const DeviceDriver* driver = OpRegistry::instance().driver(device);
  return driver != nullptr && driver->available();
}

std::string why_unavailable(Device device) {
  const DeviceDriver& driver = driver_of(device);
  return driver.available() || !driver.absence ? "" : driver.absence();
}

void synchronise(Device device) {
  driver_of(device).synchronise();
}

}  // namespace topograd
