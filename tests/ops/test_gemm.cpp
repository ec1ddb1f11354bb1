#include "kernels/gemm/gemm.h"
#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

TEST_CASE("gemm: every row equals the reference for every transposition, write mode and odd size") {
  const int64_t sizes[][3] = {{0, 3, 4},    {3, 0, 4},    {3, 4, 0},    {1, 1, 1},  {1, 31, 33},
                              {31, 1, 127}, {33, 17, 31}, {67, 10, 64}, {5, 257, 3}};
  for (const auto& [M, N, K] : sizes)
    for (bool ta : {false, true})
      for (bool tb : {false, true})
        for (Write write : {Write::overwrite, Write::accumulate})
          check_op<GemmArgs>(
              text("gemm M=", M, " N=", N, " K=", K, " ta=", ta, " tb=", tb,
                   write == Write::accumulate ? " accumulate" : ""),
              [&, M = M, N = N, K = K](Operands& o) {
                return GemmArgs{.c = o.output({M, N}, write),
                                .a = o.normal(ta ? Shape{K, M} : Shape{M, K}),
                                .b = o.normal(tb ? Shape{N, K} : Shape{K, N}),
                                .transpose_a = ta,
                                .transpose_b = tb,
                                .write = write};
              },
              // A sum of K <= 127 products in f32: sqrt(K) ulp (6e-8) against results of about
              // sqrt(K), with room for the largest of a thousand elements.
              3e-6);
}

TEST_CASE("gemm: a NaN reaches its row and nothing else") {
  Context context;
  for (const char* row : {"onednn", "reference"}) {
    CAPTURE(row);
    context.force_implementation("gemm", row);
    const Tensor a = Tensor::zeros({3, 4});
    const Tensor b = Tensor::zeros({4, 5});
    const Tensor c({3, 5});
    a.data<float>()[1 * 4 + 2] = std::nanf("");
    gemm({.c = c, .a = a, .b = b}, context);
    for (int64_t i = 0; i < c.size(); ++i) CHECK(std::isnan(c.data<float>()[i]) == (i / 5 == 1));
  }
}

TEST_CASE("gemm: shapes that do not multiply are refused") {
  Context context;
  CHECK_THROWS_WITH_AS(
      gemm({.c = Tensor({2, 3}), .a = Tensor({2, 4}), .b = Tensor({5, 3})}, context),
      "gemm: [2x4] times [5x3] does not give [2x3]", Error);
  CHECK_THROWS_AS(gemm({.c = Tensor({6}), .a = Tensor({2, 4}), .b = Tensor({4, 3})}, context),
                  Error);
  CHECK_THROWS_AS(
      gemm({.c = Tensor({2, 3}, DType::f64), .a = Tensor({2, 4}), .b = Tensor({4, 3})}, context),
      Error);
}
