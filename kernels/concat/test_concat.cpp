#include "kernels/concat/concat.h"
#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

const int64_t kCases[][6] = {  // N, H, W, channels before the part, of it, behind it
    {0, 2, 2, 3, 4, 1}, {1, 1, 1, 0, 1, 1}, {2, 3, 5, 31, 33, 2},
    {1, 2, 3, 0, 4, 0}, {1, 2, 3, 4, 0, 5}, {2, 2, 2, 7, 16, 0}};

/// Returns {1, 2, 3, ...}.
Tensor counted(const Shape& shape) {
  const Tensor t(shape);
  for (int64_t i = 0; i < t.size(); ++i) t.data<float>()[i] = static_cast<float>(i + 1);
  return t;
}

}  // namespace

TEST_CASE(
    "concat: every implementation equals the reference, and leaves the other channels alone") {
  for (const auto& [N, H, W, before, C, behind] : kCases)
    check_op<ConcatArgs>(
        text("concat ", before, ", ", C, ", ", behind),
        [&, N = N, H = H, W = W, before = before, C = C, behind = behind](Operands& o) {
          return ConcatArgs{.y = o.in_out({N, H, W, before + C + behind}),
                            .part = o.normal({N, H, W, C}),
                            .first = before};
        },
        0);  // copies
}

TEST_CASE("concat_backward: every implementation equals the reference") {
  for (const auto& [N, H, W, before, C, behind] : kCases)
    for (Write write : {Write::overwrite, Write::accumulate})
      check_op<ConcatBackwardArgs>(
          text("concat_backward ", before, ", ", C, ", ", behind),
          [&, N = N, H = H, W = W, before = before, C = C, behind = behind](Operands& o) {
            return ConcatBackwardArgs{.dpart = o.output({N, H, W, C}, write),
                                      .dy = o.normal({N, H, W, before + C + behind}),
                                      .first = before,
                                      .write = write};
          },
          1e-7);  // one addition
}

TEST_CASE("concat: more elements than a grid has threads") {
  check_op<ConcatArgs>(
      "concat",
      [](Operands& o) {
        return ConcatArgs{
            .y = o.in_out({1, 300, 701, 6}), .part = o.pattern({1, 300, 701, 5}), .first = 1};
      },
      0);
  check_op<ConcatBackwardArgs>(
      "concat_backward",
      [](Operands& o) {
        return ConcatBackwardArgs{
            .dpart = o.output({1, 300, 701, 5}), .dy = o.pattern({1, 300, 701, 6}), .first = 1};
      },
      0);
}

TEST_CASE("concat: channels land side by side, and come back") {
  Context context;
  const Tensor a = counted({1, 1, 2, 1}), b = counted({1, 1, 2, 2}), y({1, 1, 2, 3});
  const float expected[] = {1, 1, 2, 2, 3, 4};
  concat({.y = y, .part = a, .first = 0}, context);
  concat({.y = y, .part = b, .first = 1}, context);
  for (int i = 0; i < 6; ++i) CHECK(y.data<float>()[i] == expected[i]);
  const Tensor da({1, 1, 2, 1}), db({1, 1, 2, 2});
  concat_backward({.dpart = da, .dy = y, .first = 0}, context);
  concat_backward({.dpart = db, .dy = y, .first = 1}, context);
  for (int i = 0; i < 2; ++i) CHECK(da.data<float>()[i] == a.data<float>()[i]);
  for (int i = 0; i < 4; ++i) CHECK(db.data<float>()[i] == b.data<float>()[i]);
}

TEST_CASE("concat: shapes that do not fit are refused") {
  Context context;
  const Tensor y({1, 2, 2, 5}), part({1, 2, 2, 3});
  CHECK_THROWS_WITH_AS(
      concat({.y = y, .part = part, .first = 3}, context),
      "concat: [1x2x2x3] is no part, from channel 3 on, of [1x2x2x5], with the same pixels "
      "and type",
      Error);
  CHECK_THROWS_AS(concat({.y = y, .part = Tensor({1, 2, 3, 3})}, context), Error);
  CHECK_THROWS_AS(concat({.y = y, .part = part, .first = -1}, context), Error);
  CHECK_THROWS_AS(concat_backward({.dpart = Tensor({1, 2, 2, 6}), .dy = y}, context), Error);
  CHECK_THROWS_AS(concat_backward({.dpart = part, .dy = y, .first = 4}, context), Error);
}
