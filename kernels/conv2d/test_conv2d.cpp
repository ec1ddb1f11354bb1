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
                      Precision precision = Precision::f32,
                      Implementations which = Implementations::all) {
  const std::string what = text("x=", x, " w=", w, ", ", geometry, ", offset=", offset,
                                " precision=", static_cast<int>(precision));
  std::map<std::string_view, double> tolerances = kTolerancesByName;
  tolerances["bf16_tensor_core"] = precision == Precision::bf16 ? kBf16 : kBf16x3;
  const Shape y = geometry.output(x, w);
  const auto input = [=](Operands& o, const Shape& shape) {
    return o.normal({shape.size() + offset}).slice(offset, shape);
  };
  const std::pair<bool, Write> forwards[] = {
      {false, Write::overwrite}, {true, Write::overwrite}, {true, Write::accumulate}};
  for (const auto& [with_bias, write] : forwards)
    check_op<Conv2dForwardArgs>(
        "forward " + what,
        [&, with_bias = with_bias, write = write](Operands& o) {
          return Conv2dForwardArgs{.y = o.output(y, write),
                                   .x = input(o, x),
                                   .w = input(o, w),
                                   .bias = with_bias ? o.normal({w[0]}) : Tensor(),
                                   .geometry = geometry,
                                   .write = write,
                                   .error_budget = ErrorBudget::relaxed,
                                   .precision = precision};
        },
        kTolerance, 1, tolerances, which);
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
        kTolerance, 1, tolerances, which);
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
        kTolerance, 1, tolerances, which);
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

TEST_CASE("conv2d: any stride, padding and dilation, each axis its own") {
  check_directions({2, 7, 8, 3}, {4, 3, 3, 3}, {.stride = {1, 2}, .padding = {0, 2}});
  check_directions({1, 9, 6, 5}, {3, 3, 2, 5}, {.padding = {2, 1}, .dilation = {2, 3}});
  check_directions({1, 9, 8, 16}, {32, 3, 3, 16}, {.stride = 2, .padding = 2, .dilation = 2});
  check_directions({2, 4, 9, 4}, {8, 1, 7, 4}, {.padding = {0, 3}});
  check_directions({1, 8, 5, 4}, {4, 7, 1, 4}, {.stride = {2, 1}, .padding = {3, 0}});
}

TEST_CASE("conv2d: 1x1 filters with a stride, over fewer channels than vectors have elements") {
  check_directions({2, 14, 14, 6}, {4, 1, 1, 6}, {.stride = 2});
  check_directions({1, 28, 9, 1}, {4, 1, 1, 1}, {.stride = {2, 1}});
}

// oneDNN has an algorithm for many a shape, and another one on every kind of processor.
TEST_CASE("conv2d: fifty geometries at random, on the CPU") {
  const Philox random(1, RandomStream::test);
  uint64_t next = 0;
  const auto up_to = [&](int most) { return 1 + static_cast<int>(random.below(next++, most)); };
  for (int i = 0; i < 50; ++i) {
    ConvGeometry geometry;
    if (up_to(2) == 1) geometry.stride = {up_to(3), up_to(3)};
    if (up_to(5) == 1) geometry.dilation = 2;
    if (up_to(3) == 1) geometry.groups = up_to(8);
    const int kh = up_to(4), kw = up_to(3) == 1 ? up_to(4) : kh;
    geometry.padding = {up_to(kh / 2 + 1) - 1, up_to(kw / 2 + 1) - 1};
    const int most = geometry.groups > 1 ? 4 : up_to(2) == 1 ? 9 : 30;
    const int inputs = up_to(most), filters = up_to(most);
    const int h = (kh - 1) * geometry.dilation.h + up_to(12);
    const int w = (kw - 1) * geometry.dilation.w + up_to(12);
    check_directions({up_to(2), h, w, inputs * geometry.groups},
                     {filters * geometry.groups, kh, kw, inputs}, geometry, 0, Precision::f32,
                     Implementations::cpu);
  }
}

TEST_CASE("conv2d: any number of groups, with as many filters as channels, more or fewer") {
  check_directions({2, 5, 6, 6}, {9, 3, 3, 2}, {.padding = 1, .groups = 3});
  check_directions({1, 6, 5, 16}, {16, 3, 3, 4}, {.stride = 2, .padding = 1, .groups = 4});
  check_directions({1, 5, 4, 64}, {32, 3, 3, 32}, {.padding = 1, .groups = 2});
  check_directions({2, 3, 4, 12}, {6, 1, 1, 2}, {.groups = 6});
  check_directions({1, 7, 7, 5}, {10, 3, 2, 1},
                   {.stride = {2, 1}, .padding = 2, .dilation = {1, 2}, .groups = 5});
  check_directions({0, 4, 4, 4}, {4, 3, 3, 2}, {.padding = 1, .groups = 2});
  // Groups of two, four and eight channels: every width of a block of channels, and tails; rows of
  // several blocks of pixels, and tails; taps of more than one block.
  for (int64_t g : {2, 4})
    for (int64_t C : {4, 8, 20, 48, 116})
      check_directions({2, 5, 6, C}, {C, 3, 3, g},
                       {.stride = {1, 2}, .padding = 1, .groups = static_cast<int>(C / g)});
  for (int64_t C : {8, 24, 40, 112})
    check_directions({2, 4, 5, C}, {C, 3, 3, 8}, {.padding = 1, .groups = static_cast<int>(C / 8)});
  for (int64_t g : {2, 4, 8})
    check_directions({1, 3, 25, 48}, {48, 3, 5, g},
                     {.padding = {1, 2}, .groups = static_cast<int>(48 / g)});
  check_directions({1, 6, 9, 16}, {16, 3, 2, 8},
                   {.stride = {2, 3}, .padding = {2, 1}, .dilation = {1, 3}, .groups = 2});
}

TEST_CASE("conv2d: one filter for each channel, in every size") {
  // Every width of a block of channels and its tails; blocks of pixels with tails; borders that
  // reach into the next block; a kernel that no image holds; the widths and strides that a GPU's
  // kernel knows, and others.
  for (int64_t C : {2, 5, 16, 24, 33, 58, 100})
    check_directions({2, 6, 7, C}, {C, 3, 3, 1}, {.padding = 1, .groups = static_cast<int>(C)});
  check_directions({2, 9, 12, 40}, {40, 3, 3, 1}, {.stride = 2, .padding = 1, .groups = 40});
  check_directions({1, 5, 22, 20}, {20, 5, 5, 1}, {.padding = 2, .groups = 20});
  check_directions({1, 9, 8, 17}, {17, 5, 5, 1}, {.stride = 2, .padding = 2, .groups = 17});
  check_directions({1, 10, 9, 36}, {36, 7, 7, 1}, {.padding = 3, .groups = 36});
  check_directions({1, 2, 2, 8}, {8, 7, 7, 1}, {.padding = 3, .groups = 8});
  check_directions({1, 8, 9, 6}, {6, 3, 3, 1},
                   {.stride = {1, 3}, .padding = {2, 0}, .dilation = {3, 2}, .groups = 6});
  check_directions({1, 8, 9, 6}, {6, 3, 3, 1}, {.padding = 4, .dilation = 2, .groups = 6});
  check_directions({1, 7, 6, 4}, {4, 2, 9, 1}, {.stride = {3, 1}, .padding = 5, .groups = 4});
  check_directions({3, 1, 1, 70}, {70, 1, 1, 1}, {.groups = 70});
  check_directions({0, 4, 4, 4}, {4, 3, 3, 1}, {.padding = 1, .groups = 4});
  // Pixels enough for several parts of the sum on a GPU, the last one shorter.
  check_directions({5, 13, 11, 3}, {3, 3, 3, 1}, {.padding = 1, .groups = 3});
}

namespace {

/// Returns the reference's y in double, of normal x and given filters.
Tensor exact_forward(const Tensor& x, const Tensor& w, const ConvGeometry& geometry) {
  const Tensor y(geometry.output(x.shape(), w.shape()), DType::f64);
  Context context;
  context.force_implementation("conv2d_forward", "reference");
  conv2d_forward({.y = y, .x = x, .w = w, .bias = {}, .geometry = geometry}, context);
  return y;
}

/// Returns the channels [first, first + count) of images.
Tensor channels(const Tensor& x, int64_t first, int64_t count) {
  const Tensor part({x.dim(0), x.dim(1), x.dim(2), count}, DType::f64);
  for (int64_t pixel = 0; pixel < x.size() / x.dim(3); ++pixel)
    std::copy_n(x.data<double>() + pixel * x.dim(3) + first, count,
                part.data<double>() + pixel * count);
  return part;
}

}  // namespace

TEST_CASE("conv2d: groups are convolutions side by side") {
  Operands o(3, DType::f64);
  const Tensor x = o.normal({2, 6, 5, 6}), w = o.normal({4, 3, 2, 3});
  const Tensor y = exact_forward(x, w, {.stride = {1, 2}, .padding = 1, .groups = 2});
  for (int64_t g : {0, 1})
    CHECK(relative_error(exact_forward(channels(x, 3 * g, 3), w.rows(2 * g, 2 * g + 2),
                                       {.stride = {1, 2}, .padding = 1}),
                         channels(y, 2 * g, 2)) == 0);
}

TEST_CASE("conv2d: dilation is a kernel with zeros between its taps") {
  Operands o(4, DType::f64);
  const Tensor x = o.normal({1, 9, 8, 3}), w = o.normal({2, 3, 2, 3});
  const Tensor wide = Tensor::zeros({2, 5, 4, 3}, DType::f64);  // 3 taps two apart, 2 three apart
  for (int64_t f = 0; f < 2; ++f)
    for (int64_t kh = 0; kh < 3; ++kh)
      for (int64_t kw = 0; kw < 2; ++kw)
        std::copy_n(w.data<double>() + ((f * 3 + kh) * 2 + kw) * 3, 3,
                    wide.data<double>() + ((f * 5 + 2 * kh) * 4 + 3 * kw) * 3);
  CHECK(relative_error(exact_forward(x, wide, {.stride = 2, .padding = {1, 2}}),
                       exact_forward(x, w, {.stride = 2, .padding = {1, 2}, .dilation = {2, 3}})) <
        1e-15);
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
  const auto refused = [&](const Tensor& w, const ConvGeometry& geometry, const char* complaint) {
    CHECK_THROWS_WITH_AS(
        conv2d_forward(
            {.y = Tensor::zeros({1, 4, 4, 2}), .x = x, .w = w, .bias = {}, .geometry = geometry},
            context),
        complaint, Error);
  };
  refused(Tensor::zeros({2, 1, 1, 1}), {.groups = 3},
          "conv2d_forward: 2 filters do not divide among 3 groups");
  refused(Tensor::zeros({2, 3, 3, 3}), {.dilation = {1, 2}},
          "conv2d_forward: the kernel [2x3x3x3] with stride 1, padding 0, dilation 1x2 is larger "
          "than the padded input [1x4x4x3]");
  refused(Tensor::zeros({2, 3, 3, 3}), {.stride = {1, 0}},
          "conv2d_forward: stride 1x0, padding 0 out of range");
}

TEST_CASE("conv2d: packed weights follow their version") {
  ConvGeometry geometry{.stride = 1, .padding = 1};
  SUBCASE("one group") {}
  SUBCASE("groups") {
    geometry.groups = 4;
  }
  SUBCASE("depthwise") {
    geometry.groups = 16;
  }
  Operands o(5, DType::f32);
  const Tensor x = o.normal({2, 6, 6, 16}), w = o.normal({16, 3, 3, 16 / geometry.groups});
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

TEST_CASE("conv2d: depthwise convolutions have an implementation of their own, and small groups") {
  const Tensor x = Tensor::zeros({1, 8, 8, 16});
  const auto check_names = [&](Device device, int64_t group, std::string_view name) {
    const Context context(device);
    const Tensor w = Tensor::zeros({16, 3, 3, group});
    const ConvGeometry geometry{.padding = 1, .groups = static_cast<int>(16 / group)};
    const Conv2dForwardArgs forward{.y = x, .x = x, .w = w, .bias = {}, .geometry = geometry};
    const Conv2dBackwardDataArgs data{.dx = x, .dy = x, .w = w, .geometry = geometry};
    const Conv2dBackwardFilterArgs filter{.dw = w, .dy = x, .x = x, .geometry = geometry};
    CHECK(choose_implementation(forward, context).name == name);
    CHECK(choose_implementation(data, context).name == name);
    CHECK(choose_implementation(filter, context).name == name);
  };
  for (int64_t group : {1, 2, 4, 8}) check_names(Device::cpu, group, "groups");
  check_names(Device::simt, 1, "depthwise");
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
