#include "kernels/core/tensor.h"

#include <ostream>

namespace topograd {

std::string_view name_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return "f32";
    case DType::f64:
      return "f64";
    case DType::bf16:
      return "bf16";
    case DType::u8:
      return "u8";
    case DType::i32:
      return "i32";
  }
  return "?";
}

int64_t bytes_of(DType dtype) {
  switch (dtype) {
    case DType::f32:
      return 4;
    case DType::f64:
      return 8;
    case DType::bf16:
      return 2;
    case DType::u8:
      return 1;
    case DType::i32:
      return 4;
  }
  return 0;
}

Shape::Shape(std::initializer_list<int64_t> extents) : Shape(extents.begin(), extents.end()) {}

int64_t Shape::size() const {
  int64_t product = 1;
  for (int64_t extent : *this) product *= extent;
  return product;
}

void Shape::push_back(int64_t extent) {
  require(rank_ < static_cast<int>(extents_.size()), "a shape has at most four extents");
  require(extent >= 0, "a shape's extent is negative: ", extent);
  extents_[static_cast<size_t>(rank_++)] = extent;
}

Shape Shape::with_first(int64_t extent) const {
  require(rank_ > 0, "a scalar has no first extent");
  Shape result = *this;
  result.extents_[0] = extent;
  return result;
}

std::ostream& operator<<(std::ostream& out, const Shape& shape) {
  out << '[';
  for (int i = 0; i < shape.rank(); ++i) out << (i ? "x" : "") << shape[i];
  return out << ']';
}

Storage::Storage(int64_t bytes, Device device)
    : driver_(driver_of(device)), data_(driver_.allocate(bytes)), bytes_(bytes) {}

Storage::~Storage() {
  driver_.release(data_);
}

Tensor::Tensor(Shape shape, DType dtype, Device device)
    : storage_(std::make_shared<Storage>(shape.size() * bytes_of(dtype), device)),
      data_(storage_->data()),
      shape_(shape),
      size_(shape.size()),
      dtype_(dtype),
      device_(device) {}

Tensor Tensor::zeros(Shape shape, DType dtype, Device device) {
  Tensor result(shape, dtype, device);
  result.fill_zero();
  return result;
}

Tensor Tensor::wrap(void* data, Shape shape, DType dtype, Device device) {
  Tensor result;
  result.data_ = data;
  result.shape_ = shape;
  result.size_ = shape.size();
  result.dtype_ = dtype;
  result.device_ = device;
  return result;
}

Tensor Tensor::rows(int64_t begin, int64_t end) const {
  require(shape_.rank() > 0 && 0 <= begin && begin <= end && end <= shape_[0], "rows [", begin,
          ", ", end, ") of a tensor of shape ", shape_);
  const Shape part = shape_.with_first(end - begin);
  const int64_t row = shape_[0] == 0 ? 0 : size_ / shape_[0];
  return slice(begin * row, part);
}

Tensor Tensor::slice(int64_t offset, const Shape& shape) const {
  require(0 <= offset && offset + shape.size() <= size_, "slice of ", shape, " at ", offset,
          " leaves a tensor of shape ", shape_);
  Tensor result = *this;
  result.data_ = static_cast<std::byte*>(data_) + offset * bytes_of(dtype_);
  result.shape_ = shape;
  result.size_ = shape.size();
  return result;
}

Tensor Tensor::reshaped(const Shape& shape) const {
  require(shape.size() == size_, "cannot see a tensor of shape ", shape_, " as ", shape);
  return slice(0, shape);
}

void Tensor::fill_zero() const {
  if (size_ > 0) driver_of(device_).fill_zero(data_, bytes());
}

void Tensor::copy_from(const Tensor& source) const {
  require(source.size_ == size_ && source.dtype_ == dtype_, "copy of ", source.shape_, " ",
          name_of(source.dtype_), " into ", shape_, " ", name_of(dtype_));
  if (size_ <= 0) return;
  if (device_ == source.device_)
    driver_of(device_).copy_within(data_, source.data_, bytes());
  else if (source.device_ == Device::cpu)
    driver_of(device_).copy_in(data_, source.data_, bytes());
  else if (device_ == Device::cpu)
    driver_of(source.device_).copy_out(data_, source.data_, bytes());
  else
    copy_from(source.to(Device::cpu));
}

Tensor Tensor::converted(DType dtype) const {
  if (device_ != Device::cpu) return to(Device::cpu).converted(dtype);
  if (dtype == dtype_) return clone();
  Tensor result(shape_, dtype);
  with_real_type(dtype_, [&](auto from) {
    with_real_type(dtype, [&](auto to) {
      const auto* source = data<decltype(from)>();
      auto* target = result.data<decltype(to)>();
      for (int64_t i = 0; i < size_; ++i) target[i] = static_cast<decltype(to)>(source[i]);
    });
  });
  return result;
}

Tensor Tensor::clone() const {
  Tensor result(shape_, dtype_, device_);
  result.copy_from(*this);
  return result;
}

Tensor Tensor::to(Device device) const {
  if (device == device_ || !defined()) return *this;
  Tensor result(shape_, dtype_, device);
  result.copy_from(*this);
  return result;
}

}  // namespace topograd
