// Tensors: a shape over a piece of memory. Contiguous, row-major, activations in NHWC.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <string_view>

#include "kernels/core/check.h"
#include "kernels/core/device.h"

namespace topograd {

/// The upper half of a float: 8 bits of exponent, 7 of mantissa. Converted by kernels/core/bf16.h.
enum class Bf16 : uint16_t {};

enum class DType { f32, f64, bf16, u8, i32 };
std::string_view name_of(DType dtype);
int64_t bytes_of(DType dtype);

template <class T>
constexpr DType dtype_of();
template <>
constexpr DType dtype_of<float>() {
  return DType::f32;
}
template <>
constexpr DType dtype_of<double>() {
  return DType::f64;
}
template <>
constexpr DType dtype_of<Bf16>() {
  return DType::bf16;
}
template <>
constexpr DType dtype_of<uint8_t>() {
  return DType::u8;
}
template <>
constexpr DType dtype_of<int32_t>() {
  return DType::i32;
}

/// Calls f(T{}) with T = float or double, as `dtype` says. Throws Error for any other type.
template <class F>
decltype(auto) with_real_type(DType dtype, F&& f) {
  if (dtype == DType::f64) return f(double{});
  require(dtype == DType::f32, "expected a tensor of f32 or f64, got ", name_of(dtype));
  return f(float{});
}

/// Extents, outermost first; at most four. The size of an empty list is 1 (a scalar).
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<int64_t> extents);
  template <class Iterator>
  Shape(Iterator begin, Iterator end) {
    for (; begin != end; ++begin) push_back(*begin);
  }

  int rank() const { return rank_; }
  int64_t operator[](int i) const { return extents_[static_cast<size_t>(i)]; }
  int64_t size() const;
  void push_back(int64_t extent);
  /// Returns a copy of this shape with another outermost extent.
  Shape with_first(int64_t extent) const;
  const int64_t* begin() const { return extents_.data(); }
  const int64_t* end() const { return extents_.data() + rank_; }
  friend bool operator==(const Shape&, const Shape&) = default;

 private:
  std::array<int64_t, 4> extents_{};
  int rank_ = 0;
};
std::ostream& operator<<(std::ostream& out, const Shape& shape);

/// Owned, 64-byte aligned memory of one device.
class Storage {
 public:
  Storage(int64_t bytes, Device device);
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;
  void* data() const { return data_; }
  int64_t bytes() const { return bytes_; }

 private:
  const DeviceDriver& driver_;
  void* data_;
  int64_t bytes_;
};

/// A handle: copies share the memory, and views (rows, slice, reshaped) keep it alive. Host
/// code must not touch the memory of a device other than the CPU: to() fetches it.
class Tensor {
 public:
  Tensor() = default;  ///< no tensor: defined() is false
  /// Allocates uninitialised memory.
  explicit Tensor(Shape shape, DType dtype = DType::f32, Device device = Device::cpu);
  static Tensor zeros(Shape shape, DType dtype = DType::f32, Device device = Device::cpu);
  /// Wraps memory owned by the caller, which must outlive the tensor and its views.
  static Tensor wrap(void* data, Shape shape, DType dtype = DType::f32,
                     Device device = Device::cpu);

  bool defined() const { return data_ != nullptr || size_ == 0; }
  const Shape& shape() const { return shape_; }
  int64_t dim(int i) const { return shape_[i]; }
  int64_t size() const { return size_; }
  int64_t bytes() const { return size_ * bytes_of(dtype_); }
  DType dtype() const { return dtype_; }
  Device device() const { return device_; }

  /// Returns the elements. A handle's constness is not theirs; T must be the tensor's type.
  template <class T>
  T* data() const {
    require(dtype_of<T>() == dtype_, "tensor of ", name_of(dtype_), " read as ",
            name_of(dtype_of<T>()));
    return static_cast<T*>(raw());
  }
  void* raw() const { return data_; }

  /// View of rows [begin, end) along the outermost axis.
  Tensor rows(int64_t begin, int64_t end) const;
  /// View of `shape.size()` elements starting at element `offset`, as `shape`.
  Tensor slice(int64_t offset, const Shape& shape) const;
  /// View of all elements under another shape of equal size.
  Tensor reshaped(const Shape& shape) const;

  void fill_zero() const;
  /// Copies the elements, from any device to any other, before it returns.
  void copy_from(const Tensor& source) const;
  /// Returns a copy in fresh memory of the CPU, converted to `dtype` (f32 and f64 only, where it
  /// differs).
  Tensor converted(DType dtype) const;
  Tensor clone() const;
  /// Returns this tensor where it is on `device` already, else a copy there. Undefined stays
  /// undefined.
  Tensor to(Device device) const;

 private:
  std::shared_ptr<Storage> storage_;
  void* data_ = nullptr;
  Shape shape_;
  int64_t size_ = -1;
  DType dtype_ = DType::f32;
  Device device_ = Device::cpu;
};

}  // namespace topograd
