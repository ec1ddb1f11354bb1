#include "kernels/add/add.h"
#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

// One rounding to float (6e-8), or a sum in double rounded once.
constexpr double kTolerance = 2e-7;

TEST_CASE("add: every row equals the reference") {
  for (int64_t n : {0, 1, 31, 33, 1009})
    check_op<AddArgs>(
        text("add n=", n),
        [&](Operands& o) {
          return AddArgs{.y = o.output({n}), .a = o.normal({n}), .b = o.normal({n})};
        },
        kTolerance);
}

TEST_CASE("add: y may be a or b") {
  for (bool first : {true, false})
    check_op<AddArgs>(
        text("add in place, y is ", first ? "a" : "b"),
        [&](Operands& o) {
          const Tensor y = o.in_out({3, 37});
          const Tensor other = o.normal({3, 37});
          return AddArgs{.y = y, .a = first ? y : other, .b = first ? other : y};
        },
        kTolerance);
}

TEST_CASE("add_bias and bias_gradient: every row equals the reference") {
  for (int64_t rows : {0, 1, 7, 129})
    for (int64_t C : {0, 1, 10, 31, 33}) {
      check_op<AddBiasArgs>(
          text("add_bias rows=", rows, " C=", C),
          [&](Operands& o) {
            return AddBiasArgs{.y = o.in_out({rows, C}), .bias = o.normal({C})};
          },
          kTolerance);
      for (Write write : {Write::overwrite, Write::accumulate})
        check_op<BiasGradientArgs>(
            text("bias_gradient rows=", rows, " C=", C),
            [&](Operands& o) {
              return BiasGradientArgs{
                  .db = o.output({C}, write), .dy = o.normal({rows, C}), .write = write};
            },
            kTolerance);
    }
}

TEST_CASE("bias_gradient sums over images and pixels alike; NaN stays in its channel") {
  Context context;
  const Tensor dy({2, 3, 5, 2});
  for (int64_t i = 0; i < dy.size(); ++i) dy.data<float>()[i] = i % 2 == 0 ? 1.0F : 2.0F;
  const Tensor db({2});
  bias_gradient({.db = db, .dy = dy}, context);
  CHECK(db.data<float>()[0] == 30);
  CHECK(db.data<float>()[1] == 60);
  dy.data<float>()[6] = std::nanf("");
  bias_gradient({.db = db, .dy = dy}, context);
  CHECK(std::isnan(db.data<float>()[0]));
  CHECK(db.data<float>()[1] == 60);
}

TEST_CASE("add, add_bias, bias_gradient: shapes that disagree are refused") {
  Context context;
  CHECK_THROWS_AS(add({.y = Tensor({2}), .a = Tensor({2}), .b = Tensor({3})}, context), Error);
  CHECK_THROWS_WITH_AS(add_bias({.y = Tensor({2, 3}), .bias = Tensor({2})}, context),
                       "add_bias: bias [2] must have one element per channel of y [2x3], and its "
                       "type",
                       Error);
  CHECK_THROWS_AS(bias_gradient({.db = Tensor({3}, DType::f64), .dy = Tensor({2, 3})}, context),
                  Error);
}
