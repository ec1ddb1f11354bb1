#include "kernels/broadcast/broadcast.h"

#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

struct Pair {
  Shape whole, small;
};
/// Every way in which runs of kept and repeated axes may alternate; sums of several runs; nothing.
const Pair kPairs[] = {{{2, 3, 5, 37}, {2, 1, 1, 37}},
                       {{2, 3, 5, 37}, {2, 3, 5, 1}},
                       {{2, 3, 5, 37}, {1, 1, 1, 37}},
                       {{2, 3, 5, 7}, {1, 3, 5, 7}},
                       {{2, 3, 5, 7}, {1, 1, 1, 1}},
                       {{2, 3, 5, 7}, {2, 1, 5, 7}},
                       {{2, 3, 5, 7}, {2, 3, 1, 7}},
                       {{2, 3, 5, 7}, {2, 1, 5, 1}},
                       {{2, 3, 5, 7}, {1, 3, 1, 7}},
                       {{2, 3, 5, 7}, {2, 3, 5, 7}},
                       {{3, 20, 30, 5}, {1, 1, 1, 5}},
                       {{3, 20, 30, 5}, {1, 1, 1, 1}},
                       {{4, 33}, {4, 1}},
                       {{4, 33}, {1, 33}},
                       {{4, 33}, {1, 1}},
                       {{0, 2, 2, 3}, {0, 1, 1, 3}},
                       {{0, 2, 2, 3}, {1, 1, 1, 3}},
                       {{1, 1, 1, 1}, {1, 1, 1, 1}},
                       {{1, 2, 40, 33}, {1, 1, 1, 33}}};

// Two or three roundings of float, 6e-8 each, of terms no larger than a few times the largest sum.
constexpr double kTolerance = 1e-6;

}  // namespace

TEST_CASE("broadcast: sums and products of every implementation equal the reference") {
  for (const Pair& pair : kPairs)
    for (Write write : {Write::overwrite, Write::accumulate}) {
      const std::string what = text(pair.whole, " with ", pair.small);
      const auto check_sum = [&](bool has_a, bool has_b) {
        check_op<BroadcastSumArgs>(
            text("sum, ", what, has_a ? ", a" : "", has_b ? ", b" : ""),
            [&](Operands& o) {
              return BroadcastSumArgs{.y = o.output(pair.whole, write),
                                      .a = has_a ? o.normal(pair.whole) : Tensor(),
                                      .b = has_b ? o.normal(pair.small) : Tensor(),
                                      .a_factor = -0.75,
                                      .b_factor = 1.5,
                                      .constant = 0.25,
                                      .write = write};
            },
            kTolerance);
      };
      check_sum(true, true);
      check_sum(true, false);
      check_sum(false, true);
      check_op<BroadcastProductArgs>(
          "product, " + what,
          [&](Operands& o) {
            return BroadcastProductArgs{.y = o.output(pair.whole, write),
                                        .a = o.normal(pair.whole),
                                        .b = o.normal(pair.small),
                                        .write = write};
          },
          kTolerance);
    }
}

// Sums are in double; the result is rounded once.
TEST_CASE("broadcast: reductions of every implementation equal the reference") {
  for (const Pair& pair : kPairs)
    for (Write write : {Write::overwrite, Write::accumulate})
      for (bool product : {false, true})
        check_op<BroadcastReduceArgs>(
            text("reduce, ", pair.whole, " to ", pair.small, product ? ", of products" : ""),
            [&](Operands& o) {
              return BroadcastReduceArgs{.r = o.output(pair.small, write),
                                         .u = o.normal(pair.whole),
                                         .v = product ? o.normal(pair.whole) : Tensor(),
                                         .factor = -0.5,
                                         .write = write};
            },
            2e-7);
}

TEST_CASE("broadcast: in place") {
  const Shape whole{2, 3, 5, 7}, small{2, 1, 1, 7};
  check_op<BroadcastSumArgs>(
      "sum",
      [&](Operands& o) {
        const Tensor y = o.in_out(whole);
        return BroadcastSumArgs{.y = y, .a = y, .b = o.normal(small), .b_factor = -1};
      },
      kTolerance);
  check_op<BroadcastProductArgs>(
      "product",
      [&](Operands& o) {
        const Tensor y = o.in_out(whole);
        return BroadcastProductArgs{.y = y, .a = y, .b = o.normal(small)};
      },
      kTolerance);
}

TEST_CASE("broadcast: more elements than a grid has threads") {
  const Shape whole{1, 300, 701, 5}, small{1, 1, 701, 1};
  check_op<BroadcastSumArgs>(
      "sum",
      [&](Operands& o) {
        return BroadcastSumArgs{
            .y = o.output(whole), .a = o.pattern(whole), .b = o.pattern(small), .constant = 1};
      },
      kTolerance);
  check_op<BroadcastProductArgs>(
      "product",
      [&](Operands& o) {
        return BroadcastProductArgs{
            .y = o.output(whole), .a = o.pattern(whole), .b = o.pattern(small)};
      },
      kTolerance);
}

TEST_CASE("broadcast: the reference's elements meet where NumPy's do") {
  // a [2, 2, 1, 3] = 0, 1, ..., 11;  b [2, 1, 1, 3] = 10, 20, ..., 60.
  const Tensor a({2, 2, 1, 3}, DType::f64), b({2, 1, 1, 3}, DType::f64), y(a.shape(), DType::f64),
      r(b.shape(), DType::f64);
  for (int i = 0; i < 12; ++i) a.data<double>()[i] = i;
  for (int i = 0; i < 6; ++i) b.data<double>()[i] = 10 * (i + 1);
  Context context;
  broadcast_sum({.y = y, .a = a, .b = b}, context);
  const double sums[] = {10, 21, 32, 13, 24, 35, 46, 57, 68, 49, 60, 71};
  for (int i = 0; i < 12; ++i) CHECK(y.data<double>()[i] == sums[i]);
  broadcast_product({.y = y, .a = a, .b = b}, context);
  const double products[] = {0, 20, 60, 30, 80, 150, 240, 350, 480, 360, 500, 660};
  for (int i = 0; i < 12; ++i) CHECK(y.data<double>()[i] == products[i]);
  broadcast_reduce({.r = r, .u = a, .v = a, .factor = 2}, context);
  const double squares[] = {18, 34, 58, 234, 298, 370};
  for (int i = 0; i < 6; ++i) CHECK(r.data<double>()[i] == squares[i]);
}

TEST_CASE("broadcast: shapes that do not fit are refused") {
  Context context;
  const Tensor y({2, 3, 3, 4}), small({2, 1, 2, 4});
  CHECK_THROWS_WITH_AS(broadcast_sum({.y = y, .a = y, .b = small}, context),
                       "broadcast_sum: [2x1x2x4] is not to be broadcast against [2x3x3x4]", Error);
  CHECK_THROWS_AS(broadcast_product({.y = y, .a = small, .b = y}, context), Error);
  CHECK_THROWS_AS(broadcast_product({.y = y, .a = y, .b = Tensor({4})}, context), Error);
  CHECK_THROWS_AS(broadcast_reduce({.r = small, .u = y, .v = {}}, context), Error);
  CHECK_THROWS_AS(broadcast_reduce({.r = Tensor({2, 1, 1, 4}), .u = y, .v = small}, context),
                  Error);
}
