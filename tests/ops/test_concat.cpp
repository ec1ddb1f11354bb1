#include "kernels/concat/concat.h"
#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

const int64_t kCases[][5] = {  // N, H, W, Ca, Cb
    {0, 2, 2, 3, 4}, {1, 1, 1, 1, 1}, {2, 3, 5, 31, 33},
    {1, 2, 3, 0, 4}, {1, 2, 3, 4, 0}, {2, 2, 2, 0, 0}};

}  // namespace

TEST_CASE("concat: every row equals the reference") {
  for (const auto& [N, H, W, Ca, Cb] : kCases)
    check_op<ConcatArgs>(
        text("concat ", Ca, " and ", Cb),
        [&, N = N, H = H, W = W, Ca = Ca, Cb = Cb](Operands& o) {
          return ConcatArgs{.y = o.output({N, H, W, Ca + Cb}),
                            .a = o.normal({N, H, W, Ca}),
                            .b = o.normal({N, H, W, Cb})};
        },
        0);  // copies
}

TEST_CASE("concat_backward: every row equals the reference, either side absent") {
  for (const auto& [N, H, W, Ca, Cb] : kCases)
    for (Write write_a : {Write::overwrite, Write::accumulate})
      for (Write write_b : {Write::overwrite, Write::accumulate})
        for (int sides = 0; sides < 4; ++sides)
          check_op<ConcatBackwardArgs>(
              text("concat_backward ", Ca, " and ", Cb, ", sides ", sides),
              [&, N = N, H = H, W = W, Ca = Ca, Cb = Cb](Operands& o) {
                return ConcatBackwardArgs{
                    .da = sides & 1 ? o.output({N, H, W, Ca}, write_a) : Tensor(),
                    .db = sides & 2 ? o.output({N, H, W, Cb}, write_b) : Tensor(),
                    .dy = o.normal({N, H, W, Ca + Cb}),
                    .write_a = write_a,
                    .write_b = write_b};
              },
              1e-7);  // one addition
}

TEST_CASE("concat: more elements than a grid has threads") {
  check_op<ConcatArgs>(
      "concat",
      [](Operands& o) {
        return ConcatArgs{.y = o.output({1, 300, 701, 6}),
                          .a = o.pattern({1, 300, 701, 5}),
                          .b = o.pattern({1, 300, 701, 1})};
      },
      0);
  check_op<ConcatBackwardArgs>(
      "concat_backward",
      [](Operands& o) {
        return ConcatBackwardArgs{.da = o.output({1, 300, 701, 5}),
                                  .db = o.output({1, 300, 701, 1}),
                                  .dy = o.pattern({1, 300, 701, 6})};
      },
      0);
}

TEST_CASE("concat: channels land side by side, and come back") {
  Context context;
  const Tensor a({1, 1, 2, 1}), b({1, 1, 2, 2}), y({1, 1, 2, 3});
  const float va[] = {1, 2}, vb[] = {3, 4, 5, 6}, expected[] = {1, 3, 4, 2, 5, 6};
  std::copy_n(va, 2, a.data<float>());
  std::copy_n(vb, 4, b.data<float>());
  concat({.y = y, .a = a, .b = b}, context);
  for (int i = 0; i < 6; ++i) CHECK(y.data<float>()[i] == expected[i]);
  const Tensor da({1, 1, 2, 1}), db({1, 1, 2, 2});
  concat_backward({.da = da, .db = db, .dy = y}, context);
  for (int i = 0; i < 2; ++i) CHECK(da.data<float>()[i] == va[i]);
  for (int i = 0; i < 4; ++i) CHECK(db.data<float>()[i] == vb[i]);
}

TEST_CASE("concat: shapes that do not fit are refused") {
  Context context;
  const Tensor y({1, 2, 2, 5}), a({1, 2, 2, 2}), b({1, 2, 2, 2});
  CHECK_THROWS_WITH_AS(concat({.y = y, .a = a, .b = b}, context),
                       "concat: 2 and 2 channels do not make 5", Error);
  CHECK_THROWS_AS(concat({.y = y, .a = Tensor({1, 2, 3, 3}), .b = b}, context), Error);
  CHECK_THROWS_AS(concat_backward({.da = Tensor({1, 2, 2, 6}), .dy = y}, context), Error);
  CHECK_THROWS_AS(concat_backward({.da = a, .db = b, .dy = y}, context), Error);
}
