#include <doctest/doctest.h>

#include <array>
#include <cmath>

#include "kernels/core/tensor.h"

using namespace topograd;

namespace {

Tensor counted(const Shape& shape) {
  Tensor t(shape);
  for (int64_t i = 0; i < t.size(); ++i) t.data<float>()[i] = static_cast<float>(i);
  return t;
}

}  // namespace

TEST_CASE("shape: extents, sizes and their bounds") {
  CHECK(Shape{}.size() == 1);
  CHECK(Shape{2, 3, 5, 7}.size() == 210);
  CHECK(Shape{2, 0, 5}.size() == 0);
  CHECK(text(Shape{2, 3}, " ", Shape{}) == "[2x3] []");
  CHECK((Shape{2, 3}.with_first(7) == Shape{7, 3}));
  CHECK(Shape{2} != (Shape{2, 1}));
  CHECK_THROWS_WITH_AS((Shape{1, 2, 3, 4, 5}), "a shape has at most four extents", Error);
  CHECK_THROWS_WITH_AS((Shape{2, -1}), "a shape's extent is negative: -1", Error);
  CHECK_THROWS_WITH_AS(Shape{}.with_first(1), "a scalar has no first extent", Error);
}

TEST_CASE("tensor: undefined, empty and allocated ones tell themselves apart") {
  CHECK_FALSE(Tensor().defined());
  CHECK(Tensor({0, 3}).defined());
  const Tensor t({2, 3}, DType::f64);
  CHECK(t.defined());
  CHECK(t.size() == 6);
  CHECK(t.bytes() == 48);
  CHECK(reinterpret_cast<uintptr_t>(t.raw()) % 64 == 0);
  const Tensor zeros = Tensor::zeros({3}, DType::i32);
  for (int i = 0; i < 3; ++i) CHECK(zeros.data<int32_t>()[i] == 0);
}

TEST_CASE("tensor: rows are views, within bounds") {
  const Tensor t = counted({4, 3});
  const Tensor middle = t.rows(1, 3);
  CHECK((middle.shape() == Shape{2, 3}));
  CHECK(middle.data<float>()[0] == 3);
  middle.data<float>()[0] = -1;
  CHECK(t.data<float>()[3] == -1);
  CHECK(t.rows(4, 4).size() == 0);
  CHECK(t.rows(0, 4).raw() == t.raw());
  CHECK(Tensor({0, 3}).rows(0, 0).size() == 0);
  for (const auto& [begin, end] : {std::array<int64_t, 2>{-1, 2}, {0, 5}, {3, 2}, {5, 5}})
    CHECK_THROWS_WITH_AS(t.rows(begin, end),
                         text("rows [", begin, ", ", end, ") of a tensor of shape [4x3]").c_str(),
                         Error);
  CHECK_THROWS_AS(Tensor(Shape{}).rows(0, 1), Error);
}

TEST_CASE("tensor: slices and reshapes are views, within bounds") {
  const Tensor t = counted({4, 3});
  const Tensor s = t.slice(5, {2, 2});
  CHECK(s.data<float>()[3] == 8);
  CHECK(t.slice(12, {0}).size() == 0);
  CHECK(t.slice(0, {12}).raw() == t.raw());
  CHECK_THROWS_WITH_AS(t.slice(9, {2, 2}), "slice of [2x2] at 9 leaves a tensor of shape [4x3]",
                       Error);
  CHECK_THROWS_AS(t.slice(-1, {1}), Error);
  CHECK_THROWS_AS(t.slice(13, {0}), Error);
  CHECK((t.reshaped({2, 6}).shape() == Shape{2, 6}));
  CHECK(t.reshaped({2, 6}).raw() == t.raw());
  CHECK_THROWS_WITH_AS(t.reshaped({5}), "cannot see a tensor of shape [4x3] as [5]", Error);
}

TEST_CASE("tensor: a view keeps its memory alive") {
  Tensor view;
  {
    const Tensor t = counted({1000});
    view = t.slice(990, {10});
  }
  CHECK(view.data<float>()[9] == 999);  // the sanitizers watch
}

TEST_CASE("tensor: wrapped memory is the caller's") {
  float memory[6] = {0, 1, 2, 3, 4, 5};
  const Tensor t = Tensor::wrap(memory, {2, 3});
  CHECK(t.raw() == memory);
  t.rows(1, 2).fill_zero();
  CHECK(memory[2] == 2);
  CHECK(memory[3] == 0);
  CHECK(memory[5] == 0);
}

TEST_CASE("tensor: the wrong type is refused by name") {
  const Tensor t({2});
  CHECK_THROWS_WITH_AS(t.data<double>(), "tensor of f32 read as f64", Error);
  CHECK_THROWS_WITH_AS(Tensor({2}, DType::u8).data<int32_t>(), "tensor of u8 read as i32", Error);
  CHECK_THROWS_WITH_AS(Tensor({2}, DType::i32).converted(DType::f32),
                       "expected a tensor of f32 or f64, got i32", Error);
  CHECK_THROWS_AS(t.converted(DType::u8), Error);
}

TEST_CASE("tensor: converted, cloned and copied") {
  const Tensor t = counted({2, 2});
  t.data<float>()[0] = std::nanf("");
  const Tensor wide = t.converted(DType::f64);
  CHECK((wide.dtype() == DType::f64 && wide.shape() == t.shape()));
  CHECK(std::isnan(wide.data<double>()[0]));
  CHECK(wide.data<double>()[3] == 3);
  wide.data<double>()[3] = 0.1;
  CHECK(wide.converted(DType::f32).data<float>()[3] == 0.1F);
  const Tensor same = t.converted(DType::f32);
  CHECK(same.raw() != t.raw());
  CHECK(same.data<float>()[2] == 2);
  const Tensor copy({4});
  copy.copy_from(t);
  CHECK(copy.data<float>()[3] == 3);
  CHECK_THROWS_WITH_AS(copy.copy_from(wide), "copy of [2x2] f64 into [4] f32", Error);
  CHECK_THROWS_AS(Tensor({3}).copy_from(t), Error);
  CHECK(Tensor({0}).clone().size() == 0);
}

TEST_CASE("tensor: memory of an absent device is refused") {
  if (is_available(Device::cuda)) return;
  CHECK_THROWS_AS(Tensor({1}, DType::f32, Device::cuda), Error);
}

TEST_CASE("tensor: copies travel to a device and back, whole and in views") {
  for (Device device : {Device::simt, Device::cuda}) {
    if (!is_available(device)) continue;
    const Tensor host = counted({6, 2});
    const Tensor there = host.to(device);
    CHECK(there.device() == device);
    CHECK(host.to(Device::cpu).raw() == host.raw());
    const Tensor other({2, 2}, DType::f32, device);
    other.copy_from(there.rows(3, 5));
    const Tensor back = other.to(Device::cpu);
    for (int i = 0; i < 4; ++i) CHECK(back.data<float>()[i] == 6 + i);
    there.rows(0, 2).fill_zero();
    const Tensor zeroed = there.clone().converted(DType::f64);
    CHECK(zeroed.data<double>()[3] == 0);
    CHECK(zeroed.data<double>()[4] == 4);
    CHECK(Tensor::zeros({0, 3}, DType::f32, device).to(Device::cpu).size() == 0);
    CHECK(!Tensor().to(device).defined());
  }
}
