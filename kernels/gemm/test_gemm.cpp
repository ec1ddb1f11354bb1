#include "kernels/gemm/gemm.h"
#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

void check_gemm(int64_t M, int64_t N, int64_t K, Precision precision, double tolerance,
                const std::map<std::string_view, double>& tolerances_by_name) {
  for (bool ta : {false, true})
    for (bool tb : {false, true})
      for (Write write : {Write::overwrite, Write::accumulate})
        check_op<GemmArgs>(
            text("gemm M=", M, " N=", N, " K=", K, " ta=", ta, " tb=", tb,
                 write == Write::accumulate ? " accumulate" : "",
                 " precision=", static_cast<int>(precision)),
            [&](Operands& o) {
              return GemmArgs{.c = o.output({M, N}, write),
                              .a = o.normal(ta ? Shape{K, M} : Shape{M, K}),
                              .b = o.normal(tb ? Shape{N, K} : Shape{K, N}),
                              .transpose_a = ta,
                              .transpose_b = tb,
                              .write = write,
                              .precision = precision};
            },
            tolerance, 1, tolerances_by_name);
}

// A sum of K <= 127 products in f32: sqrt(K) ulp (6e-8) against results of about sqrt(K), with room
// for the largest of a thousand elements.
constexpr double kTolerance = 3e-6;

// bf16 has 8 bits: an operand is off by up to 2^-8 of itself, a product by 2^-7. The errors of a
// sum add up as its terms do, like a random walk, so that their share of the largest result stays
// below. bf16x3: what two parts leave of an operand is 2^-17 of it, twice, and the product of the
// second parts, 2^-16, is left out.
constexpr double kTolerance1 = 0x1p-7, kTolerance3 = 0x1p-15;

}  // namespace

TEST_CASE(
    "gemm: every implementation equals the reference for every transposition, write mode and odd "
    "size") {
  const int64_t sizes[][3] = {{0, 3, 4},    {3, 0, 4},    {3, 4, 0},    {1, 1, 1},  {1, 31, 33},
                              {31, 1, 127}, {33, 17, 31}, {67, 10, 64}, {5, 257, 3}};
  for (const auto& [M, N, K] : sizes) check_gemm(M, N, K, Precision::f32, kTolerance, {});
  // More than one tile of each width, several deep, with tails; and tiles without.
  const int64_t tiles[][3] = {{131, 67, 37}, {130, 29, 50}, {259, 13, 35}, {128, 64, 32}};
  // Lines of a multiple of four floats, for the rungs that load four at once: one step and many,
  // tails in every direction.
  const int64_t fours[][3] = {{3, 4, 4}, {131, 68, 44}, {5, 132, 20}, {33, 8, 72}};
  for (const auto& [M, N, K] : tiles) check_gemm(M, N, K, Precision::f32, kTolerance, {});
  for (const auto& [M, N, K] : fours) check_gemm(M, N, K, Precision::f32, kTolerance, {});
}

TEST_CASE("gemm: implementations of less precision are as good as was asked, the others better") {
  const int64_t sizes[][3] = {{3, 4, 0},     {3, 5, 1},     {1, 31, 33},  {67, 10, 64},
                              {131, 67, 37}, {129, 31, 50}, {131, 13, 35}};
  for (const auto& [precision, tolerance] :
       {std::pair(Precision::bf16, kTolerance1), std::pair(Precision::bf16x3, kTolerance3)})
    for (const auto& [M, N, K] : sizes)
      check_gemm(M, N, K, precision, kTolerance, {{"bf16_tensor_core", tolerance}});
}

TEST_CASE("gemm: the ladder, and what its rungs ask for") {
  const auto supporting = [](const GemmArgs& args) {
    std::vector<std::string_view> names;
    for (const auto& rung : OpRegistry::instance().implementations<GemmArgs>())
      if (rung.device == Device::simt && rung.supports(args)) names.push_back(rung.name);
    return names;
  };
  using Names = std::vector<std::string_view>;
  const auto square = [](int64_t n) { return Tensor::zeros({n, n}); };
  GemmArgs args{.c = square(4), .a = square(4), .b = square(4)};
  CHECK(supporting(args) ==
        Names{"tiled", "cp_async", "float4", "thread_tile", "shared_tile", "naive"});
  const Names any_matrix{"tiled", "thread_tile", "shared_tile", "naive"};
  args.transpose_a = true;
  CHECK(supporting(args) == any_matrix);
  CHECK(supporting({.c = square(5), .a = square(5), .b = square(5)}) == any_matrix);
  CHECK(supporting({.c = square(4), .a = square(4), .b = Tensor::zeros({20}).slice(1, {4, 4})}) ==
        any_matrix);
}

TEST_CASE("gemm: tensor cores are used where the precision asked for allows it, and only there") {
  const Tensor a = Tensor::zeros({4, 4}), c = Tensor::zeros({4, 4});
  const Context context(Device::simt);
  GemmArgs args{.c = c, .a = a, .b = a};
  CHECK(choose_implementation(args, context).name == "tiled");
  for (Precision precision : {Precision::bf16x3, Precision::bf16}) {
    args.precision = precision;
    CHECK(choose_implementation(args, context).name == "bf16_tensor_core");
  }
}

TEST_CASE("gemm: a NaN reaches its row and nothing else") {
  const Tensor a = Tensor::zeros({3, 4});
  a.data<float>()[1 * 4 + 2] = std::nanf("");
  for (int64_t N : {5, 8})
    for (Precision precision : {Precision::f32, Precision::bf16x3, Precision::bf16})
      for_each_execution<GemmArgs>(
          [&](const auto& implementation, const Execution& execution, Context& context) {
            const Tensor c({3, N}, DType::f32, implementation.device);
            const GemmArgs args{.c = c,
                                .a = a.to(implementation.device),
                                .b = Tensor::zeros({4, N}, DType::f32, implementation.device),
                                .precision = precision};
            if (!implementation.supports(args)) return;
            implementation.run(args, context);
            const Tensor got = c.to(Device::cpu);
            for (int64_t i = 0; i < got.size(); ++i)
              CHECK_MESSAGE(std::isnan(got.data<float>()[i]) == (i / N == 1), implementation.name,
                            " on ", execution.describe(), ", element ", i);
          });
}

TEST_CASE("gemm: matrices may begin at any float") {
  // Lines of 8 floats, a multiple of a GPU's 16-byte loads, but not at a multiple of 16 bytes.
  for (int64_t offset : {1, 2, 3})
    for (bool ta : {false, true})
      for (bool tb : {false, true})
        check_op<GemmArgs>(text("gemm offset=", offset, " ta=", ta, " tb=", tb),
                           [&](Operands& o) {
                             return GemmArgs{.c = o.output({8, 8}),
                                             .a = o.normal({64 + offset}).slice(offset, {8, 8}),
                                             .b = o.normal({64 + offset}).slice(offset, {8, 8}),
                                             .transpose_a = ta,
                                             .transpose_b = tb,
                                             .precision = Precision::bf16x3};
                           },
                           kTolerance, 1, {{"bf16_tensor_core", kTolerance3}});
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
