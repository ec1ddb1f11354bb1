#include "kernels/vector/vector.h"
#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

constexpr double kTolerance = 2e-7;  // double inside, rounded to float once

TEST_CASE("vector: copy moves every byte of every type") {
  for (int64_t n : {0, 1, 3, 4, 31, 1025}) {
    check_op<CopyArgs>(
        text("copy n=", n),
        [&](Operands& o) { return CopyArgs{.y = o.output({n}), .x = o.normal({n})}; }, 0);
    check_op<CopyArgs>(
        text("copy of integers n=", n),
        [&](Operands& o) {
          return CopyArgs{.y = o.integer_output({n}), .x = o.integers({n}, 1000)};
        },
        0);
  }
}

TEST_CASE("axpy and scale: every row equals the reference") {
  for (int64_t n : {0, 1, 31, 33, 1009}) {
    check_op<AxpyArgs>(
        text("axpy n=", n),
        [&](Operands& o) { return AxpyArgs{.y = o.in_out({n}), .x = o.normal({n}), .a = -0.37}; },
        kTolerance);
    check_op<ScaleArgs>(
        text("scale n=", n), [&](Operands& o) { return ScaleArgs{.y = o.in_out({n}), .a = 1.7}; },
        kTolerance);
  }
}

TEST_CASE("sum_rows: every row equals the reference") {
  for (int64_t rows : {0, 1, 3, 16})
    for (int64_t n : {0, 1, 31, 33, 1009})
      for (Write write : {Write::overwrite, Write::accumulate})
        check_op<SumRowsArgs>(
            text("sum_rows rows=", rows, " n=", n),
            [&](Operands& o) {
              return SumRowsArgs{
                  .y = o.output({n}, write), .x = o.normal({rows, n}), .write = write};
            },
            kTolerance);
}

TEST_CASE("sum_rows: all rows of the table give the same bits") {
  const int64_t rows = 7, n = 331;
  for (Write write : {Write::overwrite, Write::accumulate}) {
    Operands o(5, DType::f32);
    const Tensor x = o.normal({rows, n});
    const Tensor start = o.normal({n});
    Tensor results[2];
    for (int i = 0; i < 2; ++i) {
      Context context;
      context.force_implementation("sum_rows", i == 0 ? "reference" : "highway");
      results[i] = start.clone();
      sum_rows({.y = results[i], .x = x, .write = write}, context);
    }
    CHECK(std::memcmp(results[0].raw(), results[1].raw(), n * sizeof(float)) == 0);
  }
}

TEST_CASE("dot and norm: exact to double rounding at sizes around the block's and the lanes'") {
  Context context;
  for (DType dtype : {DType::f32, DType::f64})
    for (int64_t n : {0, 1, 7, 8, 9, 31, 32, 33, 67, 4095, 4096, 4097, 10007}) {
      CAPTURE(n);
      Operands o(7, dtype);
      const Tensor a = o.normal({n});
      const Tensor b = o.normal({n});
      const Tensor exact_a = a.converted(DType::f64);
      const Tensor exact_b = b.converted(DType::f64);
      long double product = 0;
      long double square = 0;
      for (int64_t i = 0; i < n; ++i) {
        const long double x = exact_a.data<double>()[i];
        product += x * exact_b.data<double>()[i];
        square += x * x;
      }
      // Sums of up to 10^4 terms of about 1 in double: below 10^4 * 1.1e-16 of their absolute sum.
      const double error = static_cast<double>(std::abs(dot(a, b, context) - product));
      CHECK(error <= 1e-12 * static_cast<double>(n));
      CHECK(norm(a, context) ==
            doctest::Approx(static_cast<double>(std::sqrt(square))).epsilon(1e-12));
    }
}

TEST_CASE("axpy, scale, dot: all rows of the table give the same bits") {
  for (int64_t n : {33, 4133}) {
    Operands o(6, DType::f32);
    const Tensor a = o.normal({n}), b = o.normal({n});
    Tensor sums[2];
    double products[2];
    for (int i = 0; i < 2; ++i) {
      Context context;
      for (const char* op : {"axpy", "scale", "dot"})
        context.force_implementation(op, i == 0 ? "reference" : "highway");
      products[i] = dot(a, b, context);
      sums[i] = b.clone();
      axpy({.y = sums[i], .x = a, .a = 0.1}, context);
      scale({.y = sums[i], .a = 1.0 / 3}, context);
    }
    CHECK(products[0] == products[1]);
    CHECK(std::memcmp(sums[0].raw(), sums[1].raw(), static_cast<size_t>(sums[0].bytes())) == 0);
  }
}

TEST_CASE("dot: NaN and infinity reach the result") {
  Context context;
  for (int64_t n : {9, 41}) {  // in the tail; in a vector and the tail
    const Tensor a = Tensor::zeros({n});
    a.data<float>()[8] = std::numeric_limits<float>::infinity();
    CHECK(std::isinf(norm(a, context)));
    a.data<float>()[n - 1] = std::nanf("");
    CHECK(std::isnan(norm(a, context)));
  }
}

TEST_CASE("vector: tensors that disagree are refused") {
  Context context;
  CHECK_THROWS_WITH_AS(dot(Tensor({2}), Tensor({2}, DType::f64), context),
                       "dot: [2] of f32 and [2] of f64 must have one shape and type", Error);
  CHECK_THROWS_AS(dot({.result = Tensor({1}), .a = Tensor({2}), .b = Tensor({2})}, context), Error);
  CHECK_THROWS_AS(axpy({.y = Tensor({2}), .x = Tensor({3})}, context), Error);
  CHECK_THROWS_AS(sum_rows({.y = Tensor({2}), .x = Tensor({2, 3})}, context), Error);
  CHECK_THROWS_AS(scale({.y = Tensor()}, context), Error);
}
