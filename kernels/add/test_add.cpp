#include "kernels/add/add.h"
#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

// One rounding to float (6e-8), or a sum in double rounded once.
constexpr double kTolerance = 2e-7;

TEST_CASE("add: every implementation equals the reference") {
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

TEST_CASE("add: tensors that begin anywhere") {
  const int64_t offsets[][3] = {{1, 1, 1}, {2, 0, 0}, {0, 3, 0}, {0, 0, 1}};
  for (const auto& [y, a, b] : offsets)
    for (int64_t n : {3, 4, 7, 1023}) {
      const auto view = [n](const Tensor& t) { return t.slice(t.size() - n, {n}); };
      check_op<AddArgs>(
          text("add n=", n, " offsets ", y, a, b),
          [&, y = y, a = a, b = b](Operands& o) {
            return AddArgs{.y = view(o.output({n + y})),
                           .a = view(o.normal({n + a})),
                           .b = view(o.normal({n + b}))};
          },
          kTolerance);
    }
  for (const auto& [y, unused, bias] : offsets)
    check_op<AddBiasArgs>(
        text("add_bias offsets ", y, bias),
        [&, y = y, bias = bias](Operands& o) {
          return AddBiasArgs{.y = o.in_out({5 * 12 + y}).slice(y, {5, 12}),
                             .bias = o.normal({12 + bias}).slice(bias, {12})};
        },
        kTolerance);
}

TEST_CASE("add, add_bias: more elements than a grid has threads") {
  // 4096 blocks of 256 threads, four elements each, and then some more.
  const int64_t n = (int64_t{4} << 20) + 1028, C = 4;
  const Tensor a({n}), twice({n}), raised({n});
  for (int64_t i = 0; i < n; ++i) {
    a.data<float>()[i] = static_cast<float>(i % 1001);
    twice.data<float>()[i] = static_cast<float>(i % 1001 * 2);
    raised.data<float>()[i] = static_cast<float>(i % 1001 + i % C);
  }
  const auto same = [&](const Tensor& got, const Tensor& expected) {
    return std::memcmp(got.to(Device::cpu).raw(), expected.raw(), n * sizeof(float)) == 0;
  };
  for_each_execution<AddArgs>(
      [&](const auto& implementation, const Execution& execution, Context& context) {
        if (execution.schedule > 0) return;
        const Tensor y({n}, DType::f32, implementation.device), there = a.to(implementation.device);
        implementation.run({.y = y, .a = there, .b = there}, context);
        CHECK_MESSAGE(same(y, twice), implementation.name, " on ", execution.describe());
      });
  for_each_execution<AddBiasArgs>(
      [&](const auto& implementation, const Execution& execution, Context& context) {
        if (execution.schedule > 0) return;
        const Tensor y({n}, DType::f32, implementation.device);
        y.copy_from(a);
        implementation.run(
            {.y = y.reshaped({n / C, C}), .bias = a.rows(0, C).to(implementation.device)}, context);
        CHECK_MESSAGE(same(y, raised), implementation.name, " on ", execution.describe());
      });
}

TEST_CASE("add_bias and bias_gradient: every implementation equals the reference") {
  for (int64_t rows : {0, 1, 7, 129})
    for (int64_t C : {0, 1, 4, 10, 31, 33, 300}) {
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

TEST_CASE("bias_gradient: the order depends on the shape alone") {
  for (int64_t C : {3, 17}) {
    Operands o(5, DType::f32);
    const Tensor dy = o.normal({6007, C});
    std::map<std::pair<std::string_view, Device>, Tensor> results;
    for_each_execution<BiasGradientArgs>([&](const auto& implementation, const Execution& execution,
                                             Context& context) {
      const Tensor there({C}, DType::f32, implementation.device), x = dy.to(implementation.device);
      for (int repeat = 0; repeat < 2; ++repeat) {
        implementation.run({.db = there, .dy = x}, context);
        const Tensor db = there.to(Device::cpu).clone();
        const Tensor& first =
            results.try_emplace({implementation.name, implementation.device}, db).first->second;
        const bool same = std::memcmp(first.raw(), db.raw(), static_cast<size_t>(db.bytes())) == 0;
        CHECK_MESSAGE(same, implementation.name, " on ", execution.describe());
      }
    });
  }
}

TEST_CASE(
    "bias_gradient: more channels than a grid has warps, more rows than its shortest sums take") {
  const std::pair<int64_t, int64_t> shapes[] = {{1, 33001}, {220000, 10}, {9001, 257}};
  for (const auto& [rows, C] : shapes) {
    const Tensor dy({rows, C}), sums = Tensor::zeros({C});  // of integers: exact
    for (int64_t i = 0; i < dy.size(); ++i) {
      dy.data<float>()[i] = static_cast<float>(i * 7 % 31 - 9);
      sums.data<float>()[i % C] += dy.data<float>()[i];
    }
    for_each_execution<BiasGradientArgs>([&, rows = rows, C = C](const auto& implementation,
                                                                 const Execution& execution,
                                                                 Context& context) {
      if (execution.schedule > 0) return;
      const Tensor there({C}, DType::f32, implementation.device);
      implementation.run({.db = there, .dy = dy.to(implementation.device)}, context);
      const Tensor db = there.to(Device::cpu);
      const bool same = std::memcmp(db.raw(), sums.raw(), static_cast<size_t>(db.bytes())) == 0;
      CHECK_MESSAGE(same, rows, " rows of ", C, ": ", implementation.name, " on ",
                    execution.describe());
    });
  }
}

TEST_CASE("bias_gradient sums over images and pixels alike; NaN stays in its channel") {
  const Tensor dy({2, 3, 5, 2});
  for (int64_t i = 0; i < dy.size(); ++i) dy.data<float>()[i] = i % 2 == 0 ? 1.0F : 2.0F;
  for (bool nan : {false, true}) {
    if (nan) dy.data<float>()[6] = std::nanf("");
    for_each_execution<BiasGradientArgs>(
        [&](const auto& implementation, const Execution&, Context& context) {
          const Tensor there({2}, DType::f32, implementation.device);
          implementation.run({.db = there, .dy = dy.to(implementation.device)}, context);
          const Tensor db = there.to(Device::cpu);
          CHECK((nan ? std::isnan(db.data<float>()[0]) : db.data<float>()[0] == 30));
          CHECK(db.data<float>()[1] == 60);
        });
  }
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
