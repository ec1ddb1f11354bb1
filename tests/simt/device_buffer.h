// Memory of the emulated device, and numbers to put there.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/simt/memory.h"

namespace topograd::simt::test {

/// An array on the device.
template <class T>
class DeviceBuffer {
 public:
  explicit DeviceBuffer(size_t size)
      : size_(size), data_(static_cast<T*>(allocate(static_cast<int64_t>(size * sizeof(T))))) {}
  explicit DeviceBuffer(const std::vector<T>& values) : DeviceBuffer(values.size()) {
    copy_to_device(data_, values.data(), bytes());
  }
  ~DeviceBuffer() { release(data_); }
  DeviceBuffer(const DeviceBuffer&) = delete;
  DeviceBuffer& operator=(const DeviceBuffer&) = delete;

  T* data() const { return data_; }
  int64_t bytes() const { return static_cast<int64_t>(size_ * sizeof(T)); }
  std::vector<T> values() const {
    std::vector<T> result(size_);
    copy_to_host(result.data(), data_, bytes());
    return result;
  }

 private:
  size_t size_;
  T* data_;
};

/// begin, begin + 1, ...
template <class T>
std::vector<T> counting(size_t size, T begin = T{0}) {
  std::vector<T> result(size);
  for (size_t i = 0; i < size; ++i) result[i] = static_cast<T>(begin + static_cast<T>(i));
  return result;
}

}  // namespace topograd::simt::test
