#include "kernels/vector/vector.h"
#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

constexpr double kTolerance = 2e-7;  // double inside, rounded to float once

namespace {

bool same_bytes(const Tensor& a, const Tensor& b) {
  const Tensor here = a.to(Device::cpu), there = b.to(Device::cpu);
  return here.bytes() == there.bytes() &&
         (here.bytes() == 0 ||
          std::memcmp(here.raw(), there.raw(), static_cast<size_t>(here.bytes())) == 0);
}

/// Runs every implementation of Args, everywhere, on arguments that `make` builds around a start
/// value of the output (args.*output), and fails where the results' bits are not those of the
/// first.
template <class Args, class Make>
void check_same_bits(const std::string& what, const Make& make, Tensor Args::*output) {
  Tensor first;
  for_each_execution<Args>(
      [&](const auto& implementation, const Execution& execution, Context& context) {
        Operands o(6, DType::f32, implementation.device);
        const Args args = make(o);
        args.check();
        if (!implementation.supports(args)) return;
        implementation.run(args, context);
        const Tensor result = (args.*output).to(Device::cpu);
        if (!first.defined()) first = result.clone();
        CHECK_MESSAGE(same_bytes(first, result), what, ": ", implementation.name, " on ",
                      execution.describe());
      });
  CHECK(first.defined());
}

}  // namespace

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
    check_op<CopyArgs>(
        text("copy in place n=", n),
        [&](Operands& o) {
          const Tensor y = o.in_out({n});
          return CopyArgs{.y = y, .x = y};
        },
        0);
  }
}

TEST_CASE("vector: copy moves bytes, and whole words of wider types") {
  for_each_execution<CopyArgs>(
      [](const auto& implementation, const Execution& execution, Context& context) {
        for (int64_t n : {0, 1, 5, 259}) {
          Operands o(2, DType::f32, implementation.device);
          const Tensor bytes = o.integers({n}, 256, DType::u8);
          const Tensor copy = o.given(Tensor::zeros({n}, DType::u8));
          implementation.run({.y = copy, .x = bytes}, context);
          const Tensor doubles = o.given(o.normal({n}).converted(DType::f64));
          const Tensor copied_doubles = o.given(Tensor::zeros({n}, DType::f64));
          implementation.run({.y = copied_doubles, .x = doubles}, context);
          o.check_guards(text(implementation.name, " on ", execution.describe()));
          CHECK(same_bytes(bytes, copy));
          CHECK(same_bytes(doubles, copied_doubles));
        }
      });
}

TEST_CASE("axpy and scale: every implementation equals the reference; y may be x") {
  for (int64_t n : {0, 1, 31, 33, 1009}) {
    check_op<AxpyArgs>(
        text("axpy n=", n),
        [&](Operands& o) { return AxpyArgs{.y = o.in_out({n}), .x = o.normal({n}), .a = -0.37}; },
        kTolerance);
    check_op<AxpyArgs>(
        text("axpy in place n=", n),
        [&](Operands& o) {
          const Tensor y = o.in_out({n});
          return AxpyArgs{.y = y, .x = y, .a = 0.3};
        },
        kTolerance);
    check_op<ScaleArgs>(
        text("scale n=", n), [&](Operands& o) { return ScaleArgs{.y = o.in_out({n}), .a = 1.7}; },
        kTolerance);
  }
}

TEST_CASE("sum_rows: every implementation equals the reference") {
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

TEST_CASE("sum_rows: all implementations give the same bits") {
  // Rows 2 and 5 cancel. In between, the small rows lose digits in double: any other order shows.
  const int64_t rows = 7, n = 1009;
  Operands values(5, DType::f32);
  const Tensor x = values.normal({rows, n});
  for (int64_t i = 0; i < n; ++i) {
    x.data<float>()[2 * n + i] *= 1e15F;
    x.data<float>()[5 * n + i] = -x.data<float>()[2 * n + i];
  }
  for (Write write : {Write::overwrite, Write::accumulate})
    check_same_bits<SumRowsArgs>(
        "sum_rows",
        [&](Operands& o) {
          return SumRowsArgs{.y = o.in_out({n}), .x = o.given(x), .write = write};
        },
        &SumRowsArgs::y);
}

TEST_CASE("dot and norm: exact to double rounding at sizes around the block's and the lanes'") {
  const auto check = [](DType dtype, const std::string& label, Context& context) {
    for (int64_t n : {0, 1, 7, 8, 9, 31, 32, 33, 67, 4095, 4096, 4097, 10007}) {
      CAPTURE(n);
      CAPTURE(label);
      Operands o(7, dtype, context.device());
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
  };
  for_each_execution<DotArgs>(
      [&](const auto& implementation, const Execution& execution, Context& context) {
        context.force_implementation("dot", std::string(implementation.name));
        check(DType::f32, text(implementation.name, " on ", execution.describe()), context);
      });
  Context context;
  check(DType::f64, "f64", context);
}

TEST_CASE("axpy, scale, dot: all implementations give the same bits") {
  // Factors whose products a fused multiply-add would round otherwise; lengths of one block of dot,
  // two, and more than one warp adds at a time.
  for (int64_t n : {0, 33, 4133, 135'001}) {
    const std::string what = text("n=", n);
    check_same_bits<DotArgs>(
        "dot " + what,
        [&](Operands& o) {
          return DotArgs{.result = o.exact_output({1}), .a = o.normal({n}), .b = o.normal({n})};
        },
        &DotArgs::result);
    if (n > 5000) continue;
    check_same_bits<AxpyArgs>(
        "axpy " + what,
        [&](Operands& o) { return AxpyArgs{.y = o.in_out({n}), .x = o.normal({n}), .a = 0.1}; },
        &AxpyArgs::y);
    check_same_bits<ScaleArgs>(
        "scale " + what, [&](Operands& o) { return ScaleArgs{.y = o.in_out({n}), .a = 1.0 / 3}; },
        &ScaleArgs::y);
  }
}

TEST_CASE("dot: NaN and infinity reach the result") {
  for_each_execution<DotArgs>([](const auto& implementation, const Execution&, Context& context) {
    context.force_implementation("dot", std::string(implementation.name));
    for (int64_t n : {9, 41, 4100}) {  // in the tail; in a vector and the tail; in another block
      const Tensor a = Tensor::zeros({n});
      a.data<float>()[8] = std::numeric_limits<float>::infinity();
      CHECK(std::isinf(norm(a.to(implementation.device), context)));
      a.data<float>()[n - 1] = std::nanf("");
      CHECK(std::isnan(norm(a.to(implementation.device), context)));
    }
  });
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
