#include "kernels/fused_conv/fused_conv.h"
#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

struct Case {
  int64_t points, N, H, W, I, O, KH, KW;
  PerAxis stride, padding;
  PerAxis dilation = 1;
  int groups = 1;
};

// Convolutions of residual networks, in small; then what a launcher's edges need: no images, one
// pixel, odd channels, kernels that are not square or do not reach the far border, more than one
// tile of pixels and of filters, with tails, at each width of a tile.
const Case kCases[] = {
    {2, 2, 8, 8, 16, 16, 3, 3, 1, 1},  {3, 2, 6, 5, 3, 16, 3, 3, 1, 1},
    {2, 3, 9, 7, 16, 32, 3, 3, 2, 1},  {2, 2, 8, 8, 16, 32, 1, 1, 2, 0},
    {1, 1, 1, 1, 1, 1, 1, 1, 1, 0},    {3, 0, 4, 4, 3, 2, 3, 3, 1, 1},
    {1, 1, 7, 7, 31, 33, 5, 2, 2, 2},  {2, 1, 8, 8, 4, 6, 3, 3, 3, 0},
    {1, 3, 9, 11, 5, 7, 3, 3, 1, 1},   {2, 1, 13, 11, 8, 31, 3, 3, 1, 1},
    {1, 1, 12, 13, 8, 70, 3, 3, 1, 1}, {2, 37, 1, 1, 64, 10, 1, 1, 1, 0},
};

enum class Residual { none, apart, in_place };

struct Extras {
  bool shares_x, bias, relu;
  Residual residual;
  ErrorBudget error_budget = ErrorBudget::tight;
};

FusedConvArgs make_args(Operands& o, const Case& c, const Extras& extras, Precision precision) {
  const ConvGeometry g{c.stride, c.padding, c.dilation, c.groups};
  const Shape w{c.points * c.O, c.KH, c.KW, c.I / c.groups};
  const Shape y = g.output({c.points * c.N, c.H, c.W, c.I}, w.with_first(c.O));
  const bool in_place = extras.residual == Residual::in_place;
  const Tensor out = in_place ? o.in_out(y) : o.output(y);
  const Tensor x = o.normal({extras.shares_x ? c.N : c.points * c.N, c.H, c.W, c.I});
  return {.y = out,
          .x = x,
          .w = o.normal(w),
          .bias = extras.bias ? o.normal({c.points * c.O}) : Tensor(),
          .residual = in_place                             ? out
                      : extras.residual == Residual::apart ? o.normal(y)
                                                           : Tensor(),
          .points = c.points,
          .geometry = g,
          .relu = extras.relu,
          .precision = precision,
          .error_budget = extras.error_budget};
}

// A sum of K = KH KW I <= 310 products in f32, and two more terms: sqrt(K) ulp (6e-8) against
// results of about sqrt(K), with room for the largest of thousands.
constexpr double kTolerance = 3e-6;
// Winograd's sums pass through numbers ten times their result (conv2d/winograd.cpp).
constexpr double kWinogradTolerance = 1e-5;
// bf16 has 8 bits: an operand is off by up to 2^-8 of itself, a product by 2^-7. The errors of a
// sum add up as its terms do, like a random walk, so that their share of the largest result stays
// below. bf16x3: what two parts leave of an operand is 2^-17 of it, twice, and the product of the
// second parts, 2^-16, is left out.
const std::pair<Precision, double> kPrecisions[] = {
    {Precision::f32, kTolerance}, {Precision::bf16, 0x1p-7}, {Precision::bf16x3, 0x1p-15}};

void check_case(const Case& c, const Extras& extras, Implementations which = Implementations::all) {
  for (const auto& [precision, tolerance] : kPrecisions)
    check_op<FusedConvArgs>(
        text("fused_conv P=", c.points, " N=", c.N, " H=", c.H, " W=", c.W, " I=", c.I, " O=", c.O,
             " KH=", c.KH, " KW=", c.KW, " stride=", c.stride, " padding=", c.padding, " dilation=",
             c.dilation, " groups=", c.groups, " shares_x=", extras.shares_x, " bias=", extras.bias,
             " relu=", extras.relu, " residual=", static_cast<int>(extras.residual),
             " precision=", static_cast<int>(precision)),
        [&, precision = precision](Operands& o) { return make_args(o, c, extras, precision); },
        kTolerance, 1, {{"bf16_tensor_core", tolerance}, {"winograd", kWinogradTolerance}}, which);
}

}  // namespace

TEST_CASE("fused_conv: every implementation equals the reference in every size") {
  for (const Case& c : kCases)
    for (const Extras& extras :
         {Extras{false, true, true, Residual::apart}, Extras{true, false, false, Residual::none}})
      check_case(c, extras);
}

TEST_CASE("fused_conv: groups, dilation, and axes that differ") {
  const Case cases[] = {{2, 2, 6, 7, 6, 9, 3, 3, 1, 1, 1, 3},
                        {2, 1, 7, 6, 16, 16, 3, 3, 2, 1, 1, 4},
                        {1, 2, 5, 5, 64, 128, 3, 3, 1, 1, 1, 2},
                        {2, 2, 4, 4, 12, 6, 1, 1, 1, 0, 1, 6},
                        {2, 1, 9, 8, 5, 7, 3, 2, {1, 2}, {2, 1}, {2, 3}},
                        {1, 2, 9, 8, 4, 40, 3, 3, 1, 2, 2, 4},
                        {2, 1, 4, 16, 24, 24, 3, 3, 1, 1, 1, 3},
                        {3, 1, 4, 9, 4, 8, 1, 7, 1, {0, 3}}};
  for (const Case& c : cases)
    for (const Extras& extras :
         {Extras{false, true, true, Residual::apart}, Extras{true, false, false, Residual::none}})
      check_case(c, extras);
}

TEST_CASE("fused_conv: one filter for each channel, with all that is optional") {
  const Case cases[] = {{2, 2, 6, 7, 24, 24, 3, 3, 1, 1, 1, 24},
                        {2, 1, 9, 7, 58, 58, 3, 3, 2, 1, 1, 58},
                        {1, 2, 6, 9, 80, 80, 7, 7, 1, 3, 1, 80},
                        {2, 1, 5, 8, 3, 3, 5, 5, 1, 2, 1, 3},
                        {2, 1, 9, 6, 4, 4, 3, 2, {1, 2}, {2, 1}, {2, 3}, 4}};
  for (const Case& c : cases)
    for (Residual residual : {Residual::none, Residual::apart, Residual::in_place})
      check_case(c, {residual == Residual::apart, residual != Residual::apart,
                     residual != Residual::none, residual});
}

TEST_CASE("fused_conv: every combination of what is optional") {
  const Case even{3, 2, 3, 4, 4, 8, 3, 3, 1, 1}, odd{2, 2, 3, 3, 3, 5, 2, 2, 1, 0};
  for (bool shares_x : {false, true})
    for (bool bias : {false, true})
      for (bool relu : {false, true})
        for (Residual residual : {Residual::none, Residual::apart, Residual::in_place})
          for (const Case& c : {even, odd}) check_case(c, {shares_x, bias, relu, residual});
}

// One to five vectors of filters, of which the last may be broken; rows of every block of pixels.
TEST_CASE("fused_conv: register blocks of every size") {
  for (int64_t O : {7, 24, 40, 57, 80})
    for (int64_t W : {1, 9, 16, 23})
      check_case({2, 1, 2, W, 3, O, 1, 2, 1, {0, 1}}, {false, true, true, Residual::apart},
                 Implementations::cpu);
}

// Whole and broken tiles, images side by side in a block of tiles, several blocks, each width of a
// block of channels.
TEST_CASE("fused_conv: Winograd's algorithm in every size and with all that is optional") {
  const Case cases[] = {{2, 2, 8, 8, 16, 16, 3, 3, 1, 1},   {1, 1, 4, 4, 16, 32, 3, 3, 1, 1},
                        {1, 3, 7, 9, 32, 48, 3, 3, 1, 1},   {1, 5, 16, 16, 48, 16, 3, 3, 1, 1},
                        {2, 9, 5, 6, 64, 32, 3, 3, 1, 1},   {1, 2, 10, 4, 128, 16, 3, 3, 1, 1},
                        {1, 1, 33, 19, 16, 16, 3, 3, 1, 1}, {3, 0, 4, 4, 16, 16, 3, 3, 1, 1}};
  for (const Case& c : cases)
    for (Residual residual : {Residual::none, Residual::apart, Residual::in_place})
      for (bool relu : {false, true})
        check_case(c,
                   {residual == Residual::apart, residual != Residual::apart, relu, residual,
                    ErrorBudget::relaxed},
                   Implementations::cpu);
}

TEST_CASE(
    "fused_conv: Winograd's algorithm runs where the error budget is relaxed, and only there") {
  const Tensor x = Tensor::zeros({2, 4, 4, 16}), w = Tensor::zeros({16, 3, 3, 16});
  FusedConvArgs args{.y = x, .x = x, .w = w, .geometry = {1, 1}};
  const Context context;
  CHECK(choose_implementation(args, context).name == "direct");
  args.error_budget = ErrorBudget::relaxed;
  CHECK(choose_implementation(args, context).name == "winograd");
  args.w = Tensor::zeros({24, 3, 3, 16});
  args.y = Tensor::zeros({2, 4, 4, 24});
  CHECK(choose_implementation(args, context).name == "direct");
}

TEST_CASE("fused_conv: filters that no cache holds") {
  // 2^20 of them; few enough pixels for the reference.
  const Case large{1, 1, 1, 1, 512, 512, 2, 2, 1, 1};
  for (Residual residual : {Residual::apart, Residual::in_place})
    check_case(large, {true, residual == Residual::apart, true, residual}, Implementations::cpu);
  const Tensor x = Tensor::zeros({1, 1, 1, 512}), w = Tensor::zeros({512, 2, 2, 512});
  const FusedConvArgs args{.y = Tensor::zeros({1, 2, 2, 512}), .x = x, .w = w, .geometry = {1, 1}};
  CHECK(choose_implementation(args, Context()).name == "onednn");
}

TEST_CASE("fused_conv: tensors may begin at any float") {
  // Channels are a multiple of a GPU's 16-byte loads, addresses are not.
  for (int64_t offset : {1, 2})
    check_op<FusedConvArgs>(text("fused_conv offset=", offset),
                            [&](Operands& o) {
                              const auto input = [&](const Shape& shape) {
                                return o.normal({shape.size() + offset}).slice(offset, shape);
                              };
                              return FusedConvArgs{.y = o.output({2, 4, 5, 8}),
                                                   .x = input({2, 4, 5, 4}),
                                                   .w = input({16, 3, 3, 4}),
                                                   .bias = input({16}),
                                                   .residual = input({2, 4, 5, 8}),
                                                   .points = 2,
                                                   .geometry = {1, 1},
                                                   .precision = Precision::bf16x3};
                            },
                            kTolerance, 1, {{"bf16_tensor_core", 0x1p-15}});
}

TEST_CASE("fused_conv: a NaN passes the maximum, and goes where its windows are") {
  for (const auto& [precision, tolerance] : kPrecisions)
    check_op<FusedConvArgs>("fused_conv with NaN",
                            [&, precision = precision](Operands& o) {
                              Tensor x = Tensor::zeros({1, 5, 6, 4}), bias = Tensor::zeros({8});
                              std::fill_n(x.data<float>(), x.size(), 1.0F);
                              std::fill_n(bias.data<float>(), 8, -1.0F);
                              x.data<float>()[(2 * 6 + 3) * 4 + 1] = std::nanf("");
                              bias.data<float>()[5] = std::nanf("");
                              const auto given = [&](const Tensor& t) {
                                return o.given(t.converted(o.real()));
                              };
                              return FusedConvArgs{.y = o.output({2, 5, 6, 4}),
                                                   .x = given(x),
                                                   .w = o.normal({8, 3, 3, 4}),
                                                   .bias = given(bias),
                                                   .points = 2,
                                                   .geometry = {1, 1},
                                                   .relu = true,
                                                   .precision = precision};
                            },
                            kTolerance, 1, {{"bf16_tensor_core", tolerance}});
}

TEST_CASE(
    "fused_conv: tensor cores are used where the precision asked for allows it, and only there") {
  const Tensor x = Tensor::zeros({1, 2, 2, 4}), w = Tensor::zeros({4, 1, 1, 4});
  const Context context(Device::simt);
  FusedConvArgs args{.y = x, .x = x, .w = w};
  CHECK(choose_implementation(args, context).name == "implicit_gemm");
  for (Precision precision : {Precision::bf16x3, Precision::bf16}) {
    args.precision = precision;
    CHECK(choose_implementation(args, context).name == "bf16_tensor_core");
  }
}

TEST_CASE("fused_conv: tensors that disagree are refused") {
  Context context;
  const Tensor x = Tensor::zeros({2, 4, 4, 3}), w = Tensor::zeros({10, 3, 3, 3});
  const Tensor y = Tensor::zeros({4, 4, 4, 5});
  const FusedConvArgs good{.y = y, .x = x, .w = w, .points = 2, .geometry = {1, 1}};
  CHECK_NOTHROW(fused_conv(good, context));
  const auto refused = [&](auto change) {
    FusedConvArgs args = good;
    change(args);
    CHECK_THROWS_AS(fused_conv(args, context), Error);
  };
  refused([](FusedConvArgs& a) { a.points = 0; });
  refused([](FusedConvArgs& a) { a.points = 3; });
  refused([](FusedConvArgs& a) { a.x = Tensor::zeros({3, 4, 4, 3}); });
  refused([](FusedConvArgs& a) { a.x = Tensor::zeros({2, 4, 4, 2}); });
  refused([](FusedConvArgs& a) { a.w = Tensor::zeros({10, 7, 3, 3}); });
  refused([](FusedConvArgs& a) { a.y = Tensor::zeros({4, 4, 3, 5}); });
  refused([](FusedConvArgs& a) { a.bias = Tensor::zeros({5}); });
  refused([](FusedConvArgs& a) { a.residual = Tensor::zeros({2, 4, 4, 5}); });
  FusedConvArgs args = good;
  args.bias = Tensor::zeros({5});
  CHECK_THROWS_WITH_AS(fused_conv(args, context),
                       "fused_conv: bias [5] must be one per filter of w [10x3x3x3]", Error);
}
