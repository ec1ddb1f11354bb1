#include <set>

#include "kernels/conv2d/conv2d.h"
#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

struct Case {
  int64_t N, H, W, I, O, K;
  int stride, padding;
};

// The zoo's shapes in small, then what a launcher's edges need: one pixel, one channel, primes,
// a kernel as large as its input, windows that do not reach the far border, no images.
const Case kCases[] = {
    {2, 8, 8, 16, 16, 3, 1, 1},
    {3, 9, 7, 16, 32, 3, 2, 1},
    {2, 8, 8, 16, 32, 1, 2, 0},
    {2, 6, 6, 3, 16, 3, 1, 1},
    {1, 1, 1, 1, 1, 1, 1, 0},
    {2, 5, 7, 13, 11, 3, 1, 1},
    {1, 4, 4, 5, 3, 4, 1, 0},
    {2, 8, 8, 4, 6, 3, 3, 0},
    {1, 7, 7, 31, 33, 5, 2, 2},
    {0, 4, 4, 3, 2, 3, 1, 1},
    // Tiles of 4x4: several blocks of them, a last block half full, tiles that reach over the
    // border by one to three pixels, images of one tile and of less; every width of the register
    // block.
    {2, 16, 20, 16, 16, 3, 1, 1},
    {1, 8, 8, 64, 64, 3, 1, 1},
    {3, 9, 7, 16, 32, 3, 1, 1},
    {1, 13, 6, 32, 48, 3, 1, 1},
    {2, 4, 5, 80, 16, 3, 1, 1},
    {1, 4, 4, 16, 16, 3, 1, 1},
    {2, 3, 8, 16, 16, 3, 1, 1},
    {1, 8, 3, 16, 16, 3, 1, 1},
    {0, 8, 8, 16, 16, 3, 1, 1},
    {1, 6, 6, 16, 16, 3, 1, 0},
    // Tiles of 256 x 16 to 128 x 64 numbers: several both ways, with tails; a sum over pixels in
    // two parts, the second one shorter.
    {1, 9, 11, 6, 70, 3, 2, 1},
    {1, 12, 13, 8, 70, 3, 1, 1},
    {1, 9, 16, 70, 8, 3, 1, 1},
    {3, 15, 13, 5, 7, 3, 1, 1},
};

// A sum of K*K*I float products, K*K*I at most 800: random-walk rounding sqrt(800) * 6e-8 = 2e-6 of
// the result's scale; the gradient of the filter sums N*OH*OW products.
constexpr double kTolerance = 5e-6;
// Winograd's F(4x4, 3x3) sums numbers larger than their result: the rows of |A^T| |B^T| multiply
// rounding errors by up to 10 in each dimension, a few times on average. Measured on these shapes:
// up to 6e-6.
const std::map<std::string_view, double> kTolerancesByName{{"winograd", 1e-5}};

// bf16 has 8 bits: an operand is off by up to 2^-8 of itself, a product by 2^-7; the errors of a
// sum add up like a random walk, as its terms do. bf16x3 leaves out 2^-16 of a product.
constexpr double kBf16 = 0x1p-7, kBf16x3 = 0x1p-15;

/// Checks all directions, with and without what is optional. x and w begin `offset` floats into
/// their memory.
void check_directions(const Shape& x, const Shape& w, ConvGeometry geometry, int64_t offset = 0,
                      Precision precision = Precision::f32) {
  const std::string what =
      text("x=", x, " w=", w, " stride=", geometry.stride, " padding=", geometry.padding,
           " offset=", offset, " precision=", static_cast<int>(precision));
  std::map<std::string_view, double> tolerances = kTolerancesByName;
  tolerances["bf16_tensor_core"] = precision == Precision::bf16 ? kBf16 : kBf16x3;
  const Shape y{x[0], geometry.output_extent(x[1], w[1]), geometry.output_extent(x[2], w[2]), w[0]};
  const auto input = [=](Operands& o, const Shape& shape) {
    return o.normal({shape.size() + offset}).slice(offset, shape);
  };
  for (bool with_bias : {false, true})
    check_op<Conv2dForwardArgs>(
        "forward " + what,
        [&](Operands& o) {
          return Conv2dForwardArgs{.y = o.output(y),
                                   .x = input(o, x),
                                   .w = input(o, w),
                                   .bias = with_bias ? o.normal({w[0]}) : Tensor(),
                                   .geometry = geometry,
                                   .error_budget = ErrorBudget::relaxed,
                                   .precision = precision};
        },
        kTolerance, 1, tolerances);
  for (Write write : {Write::overwrite, Write::accumulate}) {
    check_op<Conv2dBackwardDataArgs>(
        "backward data " + what,
        [&](Operands& o) {
          return Conv2dBackwardDataArgs{.dx = o.output(x, write),
                                        .dy = input(o, y),
                                        .w = input(o, w),
                                        .geometry = geometry,
                                        .write = write,
                                        .error_budget = ErrorBudget::relaxed,
                                        .precision = precision};
        },
        kTolerance, 1, tolerances);
    check_op<Conv2dBackwardFilterArgs>(
        "backward filter " + what,
        [&](Operands& o) {
          return Conv2dBackwardFilterArgs{.dw = o.output(w, write),
                                          .dy = input(o, y),
                                          .x = input(o, x),
                                          .geometry = geometry,
                                          .write = write,
                                          .precision = precision};
        },
        kTolerance, 1, tolerances);
  }
}

}  // namespace

TEST_CASE("conv2d: every implementation equals the reference in all three directions") {
  for (const Case& c : kCases)
    check_directions({c.N, c.H, c.W, c.I}, {c.O, c.K, c.K, c.I}, {c.stride, c.padding});
}

TEST_CASE("conv2d: kernels need not be square, nor as wide as the stride") {
  check_directions({2, 6, 9, 4}, {8, 2, 5, 4}, {1, 2});
  check_directions({2, 7, 5, 3}, {5, 4, 1, 3}, {3, 2});
  check_directions({1, 5, 3, 4}, {4, 1, 1, 4}, {7, 1});
}

TEST_CASE("conv2d: implementations of less precision are as good as was asked, the others better") {
  const Case cases[] = {{3, 9, 7, 16, 32, 3, 2, 1}, {2, 6, 6, 3, 16, 3, 1, 1},
                        {2, 8, 8, 16, 32, 1, 2, 0}, {1, 7, 7, 31, 33, 5, 2, 2},
                        {0, 4, 4, 3, 2, 3, 1, 1},   {1, 12, 13, 8, 70, 3, 1, 1},
                        {1, 9, 16, 70, 8, 3, 1, 1}, {3, 15, 13, 5, 7, 3, 1, 1}};
  for (Precision precision : {Precision::bf16x3, Precision::bf16})
    for (const Case& c : cases)
      check_directions({c.N, c.H, c.W, c.I}, {c.O, c.K, c.K, c.I}, {c.stride, c.padding}, 0,
                       precision);
}

TEST_CASE("conv2d: tensor cores are used where the precision asked for allows it, and only there") {
  const Tensor x = Tensor::zeros({1, 2, 2, 4}), w = Tensor::zeros({4, 1, 1, 4});
  const Context context(Device::simt);
  const auto rows = [&](Precision precision) {
    const Conv2dForwardArgs forward{
        .y = x, .x = x, .w = w, .bias = {}, .geometry = {}, .precision = precision};
    const Conv2dBackwardDataArgs data{
        .dx = x, .dy = x, .w = w, .geometry = {}, .precision = precision};
    const Conv2dBackwardFilterArgs filter{
        .dw = w, .dy = x, .x = x, .geometry = {}, .precision = precision};
    return std::set<std::string_view>{choose_implementation(forward, context).name,
                                      choose_implementation(data, context).name,
                                      choose_implementation(filter, context).name};
  };
  CHECK(rows(Precision::f32) == std::set<std::string_view>{"implicit_gemm"});
  for (Precision precision : {Precision::bf16x3, Precision::bf16})
    CHECK(rows(precision) == std::set<std::string_view>{"bf16_tensor_core"});
}

TEST_CASE("conv2d: tensors may begin at any float") {
  // Channels are a multiple of a GPU's 16-byte loads, addresses are not.
  for (int64_t offset : {1, 2}) check_directions({1, 5, 4, 8}, {12, 3, 3, 8}, {1, 1}, offset);
}

TEST_CASE("conv2d: shapes that do not fit are refused in one line") {
  Context context;
  const Tensor x = Tensor::zeros({1, 4, 4, 3});
  CHECK_THROWS_WITH_AS(conv2d_forward({.y = Tensor::zeros({1, 4, 4, 2}),
                                       .x = x,
                                       .w = Tensor::zeros({2, 3, 3, 5}),
                                       .bias = {},
                                       .geometry = {1, 1}},
                                      context),
                       "conv2d_forward: x [1x4x4x3] has 3 channels, w [2x3x3x5] expects 5", Error);
  CHECK_THROWS_WITH_AS(conv2d_forward({.y = Tensor::zeros({1, 4, 4, 2}),
                                       .x = x,
                                       .w = Tensor::zeros({2, 3, 3, 3}),
                                       .bias = {},
                                       .geometry = {2, 1}},
                                      context),
                       "conv2d_forward: y is [1x4x4x2], expected [1x2x2x2]", Error);
}

TEST_CASE("conv2d: packed weights follow their version") {
  Operands o(5, DType::f32);
  const Tensor x = o.normal({2, 6, 6, 16}), w = o.normal({16, 3, 3, 16});
  const ConvGeometry geometry{1, 1};
  Context context;
  const auto both_directions = [&](uint64_t version, ErrorBudget error_budget) {
    const Tensor all({2, 2, 6, 6 * 16});
    const Tensor y = all.rows(0, 1).reshaped(x.shape()), dx = all.rows(1, 2).reshaped(x.shape());
    conv2d_forward({.y = y,
                    .x = x,
                    .w = w,
                    .bias = {},
                    .geometry = geometry,
                    .weights_version = version,
                    .error_budget = error_budget},
                   context);
    conv2d_backward_data({.dx = dx,
                          .dy = x,
                          .w = w,
                          .geometry = geometry,
                          .weights_version = version,
                          .error_budget = error_budget},
                         context);
    return all;
  };
  const uint64_t first = new_weights_version(), second = new_weights_version();
  REQUIRE(first != second);
  for (uint64_t version : {first, second}) {
    for (ErrorBudget error_budget : {ErrorBudget::tight, ErrorBudget::relaxed}) {
      const Tensor fresh = both_directions(0, error_budget);
      for (int repeat = 0; repeat < 2; ++repeat)
        CHECK(relative_error(fresh, both_directions(version, error_budget)) == 0);
    }
    for (int64_t i = 0; i < w.size(); ++i) w.data<float>()[i] += 1;  // then a new version
  }
}

TEST_CASE("conv2d: Winograd's algorithm runs where the error budget is relaxed, and only there") {
  const Tensor x = Tensor::zeros({1, 8, 8, 16}), w = Tensor::zeros({16, 3, 3, 16});
  const Context context;
  Conv2dForwardArgs forward{.y = x, .x = x, .w = w, .bias = {}, .geometry = {1, 1}};
  Conv2dBackwardDataArgs backward{.dx = x, .dy = x, .w = w, .geometry = {1, 1}};
  CHECK(choose_implementation(forward, context).name == "onednn");
  CHECK(choose_implementation(backward, context).name == "onednn");
  forward.error_budget = backward.error_budget = ErrorBudget::relaxed;
  CHECK(choose_implementation(forward, context).name == "winograd");
  CHECK(choose_implementation(backward, context).name == "winograd");
}
