#include "kernels/rearrange/rearrange.h"

#include <numeric>

#include "kernels/core/numbers.h"
#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

using Axis = StridedMap::Axis;

StridedMap map_of(const std::vector<Axis>& axes, int64_t offset = 0) {
  StridedMap map{.axes = {}, .offset = offset};
  std::copy(axes.begin(), axes.end(), map.axes.end() - static_cast<std::ptrdiff_t>(axes.size()));
  return map;
}
Axis whole(int64_t extent, int64_t stride) {
  return {.extent = extent, .stride = stride, .begin = 0, .end = extent};
}

struct Case {
  std::string what;
  StridedMap map;
  Shape image;  ///< of the input
};

std::vector<Case> cases() {
  return {
      {"a copy", map_of({whole(4, 15), whole(5, 3), whole(3, 1)}), {4, 5, 3}},
      {"a slice", map_of({whole(20, 33), whole(18, 1)}, 5), {4, 5, 33}},
      {"one channel", map_of({whole(20, 33), whole(1, 1)}, 32), {4, 5, 33}},
      {"flatten", map_of({whole(21, 1), whole(30, 21)}), {5, 6, 21}},
      {"rows and columns", map_of({whole(5, 21), whole(6, 105), whole(21, 1)}), {6, 5, 21}},
      {"channels first, odd", map_of({whole(3, 1), whole(7, 15), whole(5, 3)}), {7, 5, 3}},
      {"channel shuffle", map_of({whole(12, 20), whole(5, 1), whole(4, 5)}), {3, 4, 20}},
      {"channel shuffle, two groups",
       map_of({whole(6, 74), whole(37, 1), whole(2, 37)}),
       {2, 3, 74}},
      {"channel shuffle, groups of two",
       map_of({whole(6, 74), whole(2, 1), whole(37, 2)}),
       {2, 3, 74}},
      {"pixel shuffle",
       map_of({whole(3, 48), whole(2, 2), whole(4, 12), whole(2, 1), whole(3, 4)}),
       {3, 4, 12}},
      {"padding", map_of({{7, 20, 2, 6}, {8, 4, 1, 6}, whole(4, 1)}), {4, 5, 4}},
      {"padding of channels", map_of({whole(20, 4), {9, 1, 2, 6}}), {4, 5, 4}},
      {"padding, transposed", map_of({{9, 1, 2, 6}, {23, 4, 1, 21}}), {4, 5, 4}},
      {"every other pixel, backwards",
       map_of({whole(3, -40), whole(3, -8), whole(4, 1)}, 2 * 40 + 2 * 8),
       {5, 5, 4}},
      {"channels backwards", map_of({whole(25, 4), whole(4, -1)}, 3), {5, 5, 4}},
      {"six axes",
       map_of({whole(2, 60), whole(3, 2), whole(2, 30), whole(2, 1), whole(5, 6), {2, 0, 1, 2}}),
       {2, 2, 30}},
      {"nothing but padding", map_of({{4, 1, 2, 2}, whole(3, 1)}), {2, 3, 1}},
  };
}

}  // namespace

TEST_CASE("rearrange: every implementation equals the reference, to the bit") {
  for (const Case& c : cases())
    for (int64_t images : {0, 1, 3}) {
      REQUIRE(is_injective(c.map));
      const Shape x{images, c.image[0], c.image[1], c.image[2]}, y{images, c.map.size()};
      check_op<RearrangeArgs>(
          text(c.what, ", ", images, " images"),
          [&](Operands& o) {
            return RearrangeArgs{.y = o.output(y), .x = o.normal(x), .map = c.map};
          },
          0);
      for (Write write : {Write::overwrite, Write::accumulate})
        check_op<RearrangeBackwardArgs>(
            text(c.what, ", ", images, " images"),
            [&](Operands& o) {
              return RearrangeBackwardArgs{
                  .dx = o.output(x, write), .dy = o.normal(y), .map = c.map, .write = write};
            },
            1e-7);  // one addition
    }
}

TEST_CASE("rearrange: more elements than a grid has threads") {
  const StridedMap map = map_of({{1050, 700, 1, 1001}, {1001, 1, 1, 701}});
  check_op<RearrangeArgs>(
      "rearrange",
      [&](Operands& o) {
        return RearrangeArgs{
            .y = o.output({1, map.size()}), .x = o.pattern({1, 1000, 700, 1}), .map = map};
      },
      0);
  const StridedMap back = map_of({whole(1000, 1000), whole(998, 1)}, 1);
  check_op<RearrangeBackwardArgs>(
      "rearrange_backward",
      [&](Operands& o) {
        return RearrangeBackwardArgs{
            .dx = o.output({1, 1100, 1000, 1}), .dy = o.pattern({1, back.size()}), .map = back};
      },
      0);
}

TEST_CASE("rearrange: the reference's elements land where they should, and gradients come back") {
  // x [2, 3] = 0, ..., 5; its transpose with a row of zeros before it and a column behind it.
  const StridedMap map = map_of({{4, 1, 1, 4}, {3, 3, 0, 2}});
  const Tensor x({1, 6}, DType::f64), y({1, 12}, DType::f64), dx({1, 6}, DType::f64);
  std::iota(x.data<double>(), x.data<double>() + 6, 0.0);
  Context context;
  rearrange({.y = y, .x = x, .map = map}, context);
  const double expected[] = {0, 0, 0, 0, 3, 0, 1, 4, 0, 2, 5, 0};
  for (int i = 0; i < 12; ++i) CHECK(y.data<double>()[i] == expected[i]);
  rearrange_backward({.dx = dx, .dy = y, .map = map}, context);
  for (int i = 0; i < 6; ++i) CHECK(dx.data<double>()[i] == i);
  rearrange_backward({.dx = dx, .dy = y, .map = map, .write = Write::accumulate}, context);
  for (int i = 0; i < 6; ++i) CHECK(dx.data<double>()[i] == 2 * i);
}

TEST_CASE("rearrange: merged axes are the same map, of as few axes as there can be") {
  const auto axes_of = [](const StridedMap& map) {
    return std::count_if(map.axes.begin(), map.axes.end(),
                         [](const Axis& axis) { return axis != Axis{}; });
  };
  for (const Case& c : cases()) {
    CAPTURE(c.what);
    CHECK(c.map.merged().table() == c.map.table());
  }
  CHECK(axes_of(cases()[0].map.merged()) == 1);  // a copy
  CHECK(axes_of(cases()[8].map.merged()) == 3);  // padding
}

TEST_CASE("rearrange: what reads an element twice is known, and what reads beyond is refused") {
  CHECK_FALSE(is_injective(map_of({whole(2, 0), whole(3, 1)})));
  CHECK_FALSE(is_injective(map_of({whole(3, 2), whole(3, 1)})));
  CHECK(is_injective(map_of({{3, 2, 0, 1}, whole(3, 1)})));
  CHECK(is_injective(map_of({whole(2, 3), whole(3, 2)})));  // 0 2 4 3 5 7: strides that overlap
  CHECK_FALSE(is_injective(map_of({whole(3, 3), whole(4, 2)})));
  CHECK(is_injective(map_of({whole(2, 1 << 20), whole(1 << 20, -1)}, (1 << 20) - 1)));
  Context context;
  const Tensor x({2, 6}), y({2, 4});
  CHECK_THROWS_WITH_AS(rearrange({.y = y, .x = x, .map = map_of({whole(4, 1)}, 3)}, context),
                       "rearrange: elements 3 to 6 of images of 6", Error);
  CHECK_THROWS_AS(rearrange({.y = y, .x = x, .map = map_of({whole(4, -1)}, 2)}, context), Error);
  CHECK_THROWS_AS(rearrange({.y = y, .x = x, .map = map_of({whole(3, 1)})}, context), Error);
  CHECK_THROWS_AS(rearrange({.y = y, .x = x, .map = map_of({{4, 1, 3, 2}})}, context), Error);
  CHECK_THROWS_AS(
      rearrange_backward({.dx = Tensor({1, 6}), .dy = y, .map = map_of({whole(4, 1)})}, context),
      Error);
}
