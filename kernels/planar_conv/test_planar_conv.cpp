// Convolutions on planes of bf16: every implementation against fused_conv's reference in double, on
// operands rounded before.
#include "kernels/planar_conv/planar_conv.h"

#include <set>

#include "kernels/core/bf16.h"
#include "kernels/fused_conv/fused_conv.h"
#include "kernels/planar_conv/fragment_order.h"
#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

struct Case {
  int64_t points, N, H, W, I, O, K;
  int stride;
  bool shares_x = false;
};

// Each width; one and several images, pairs of which the last is alone; colours, one step and
// several; several bands, blocks of filters, and more tiles than the emulator has blocks; strides
// of both kernels; images that all networks share.
const Case kCases[] = {
    {1, 2, 8, 32, 16, 16, 3, 1},  {2, 1, 16, 32, 3, 16, 3, 1, true}, {1, 1, 8, 32, 48, 32, 3, 1},
    {2, 2, 8, 16, 32, 32, 3, 1},  {1, 1, 24, 16, 16, 64, 3, 1},      {1, 3, 8, 8, 64, 64, 3, 1},
    {3, 1, 8, 8, 16, 64, 3, 1},   {2, 2, 16, 8, 32, 64, 3, 1, true}, {2, 1, 16, 32, 16, 32, 3, 2},
    {1, 3, 16, 16, 32, 64, 3, 2}, {2, 1, 16, 32, 16, 32, 1, 2},      {1, 3, 16, 16, 40, 64, 1, 2},
};

enum class Residual { none, apart, in_place };

struct Extras {
  bool relu;
  Residual residual;
};

Tensor normals(const Shape& shape, uint64_t seed) {
  const Tensor t(shape);
  const Philox random(seed, RandomStream::test);
  for (int64_t i = 0; i < t.size(); ++i)
    t.data<float>()[i] = static_cast<float>(random.normal(static_cast<uint64_t>(i)));
  return t;
}

/// Returns the number that so many parts of bf16 make of another.
double rounded(float value, int parts) {
  const float high = to_float(to_bf16(value));
  return parts == 1 ? high : double{high} + to_float(to_bf16(value - high));
}
Tensor rounded(const Tensor& t, int parts) {
  const Tensor result(t.shape(), DType::f64);
  for (int64_t i = 0; i < t.size(); ++i)
    result.data<double>()[i] = rounded(t.data<float>()[i], parts);
  return result;
}

/// Returns plain images as planar ones, the border zeros, by the layout's definition.
PlanarImages planar(const Tensor& x, int parts, Device device) {
  PlanarImages y = PlanarImages::zeros(x.shape(), parts, Device::cpu);
  const float* value = x.data<float>();
  for (int64_t n = 0; n < y.N; ++n)
    for (int64_t h = 0; h < y.H; ++h)
      for (int64_t w = 0; w < y.W; ++w)
        for (int64_t c = 0; c < y.C; ++c, ++value) {
          const float high = to_float(to_bf16(*value));
          y.data.data<Bf16>()[y.at(n, 0, h, w, c)] = to_bf16(*value);
          if (parts == 2) y.data.data<Bf16>()[y.at(n, 1, h, w, c)] = to_bf16(*value - high);
        }
  y.data = y.data.to(device);
  return y;
}

/// Returns the sum of the parts, in double; fails where the border is not zeros any more.
Tensor plain(const PlanarImages& x) {
  const Tensor here = x.data.to(Device::cpu), y({x.N, x.H, x.W, x.C}, DType::f64);
  std::set<int64_t> numbers;
  double* value = y.data<double>();
  for (int64_t n = 0; n < x.N; ++n)
    for (int64_t h = 0; h < x.H; ++h)
      for (int64_t w = 0; w < x.W; ++w)
        for (int64_t c = 0; c < x.C; ++c, ++value)
          for (int64_t part = *value = 0; part < x.parts; ++part) {
            numbers.insert(x.at(n, part, h, w, c));
            *value += to_float(here.data<Bf16>()[x.at(n, part, h, w, c)]);
          }
  CHECK(static_cast<int64_t>(numbers.size()) == x.parts * y.size());
  int64_t border = 0;
  for (int64_t i = 0; i < here.size(); ++i)
    border += !numbers.contains(i) && here.data<Bf16>()[i] != Bf16{};
  CHECK(border == 0);
  return y;
}

Tensor fragments_of(const Tensor& w, int64_t points, int parts, Context& context) {
  const Tensor table({1, PackedLayer::kColumns}, DType::i32);
  const PackedLayer layer{.weights = 0,
                          .fragments = 0,
                          .O = static_cast<int32_t>(w.dim(0) / points),
                          .I = static_cast<int32_t>(w.dim(3)),
                          .KH = static_cast<int32_t>(w.dim(1)),
                          .KW = static_cast<int32_t>(w.dim(2))};
  *reinterpret_cast<PackedLayer*>(table.data<int32_t>()) = layer;
  const Device device = context.device();
  const Tensor fragments({points * parts * layer.size()}, DType::bf16, device);
  pack_fragments({.fragments = fragments,
                  .weights = w.to(device).reshaped({w.size()}),
                  .layers = table.to(device),
                  .points = points,
                  .parts = parts},
                 context);
  return fragments;
}

// What is left of an output is its rounding, up to 2^-8 of it, and of sums in f32 some 2^-22. In
// two parts the rounding is up to 2^-16, and the product of two second parts is left out, as much
// again.
double tolerance(int parts) {
  return parts == 1 ? 1.01 * 0x1p-8 : 0x1p-15;
}

void check_case(const Case& c, const Extras& extras, int parts) {
  const ConvGeometry geometry{c.stride, c.K / 2};
  const Tensor x = normals({(c.shares_x ? 1 : c.points) * c.N, c.H, c.W, c.I}, 1);
  const Tensor w = normals({c.points * c.O, c.K, c.K, c.I}, 2), bias = normals({c.points * c.O}, 3);
  const Shape filters{c.O, c.K, c.K, c.I};
  const Shape y_shape = geometry.output(x.shape(), filters).with_first(c.points * c.N);
  const Tensor residual = normals(y_shape, 4), exact(y_shape, DType::f64), none(y_shape);
  std::fill_n(none.data<float>(), none.size(), std::nanf(""));
  const bool adds = extras.residual != Residual::none;
  Context reference;
  reference.force_implementation("fused_conv", "reference");
  fused_conv({.y = exact,
              .x = rounded(x, parts),
              .w = rounded(w, parts),
              .bias = bias.converted(DType::f64),
              .residual = adds ? rounded(residual, parts) : Tensor(),
              .points = c.points,
              .geometry = geometry,
              .relu = extras.relu},
             reference);
  for_each_execution<PlanarConvArgs>(
      [&](const auto& implementation, const Execution& execution, Context& context) {
        const Device device = context.device();
        const PlanarImages before = planar(residual, parts, device);
        const PlanarConvArgs args{
            .y = extras.residual == Residual::in_place ? before : planar(none, parts, device),
            .x = planar(x, parts, device),
            .w = fragments_of(w, c.points, parts, context),
            .bias = bias.to(device),
            .residual = adds ? before : PlanarImages{},
            .filters = filters,
            .points = c.points,
            .geometry = geometry,
            .relu = extras.relu};
        args.check();
        implementation.run(args, context);
        const double error = relative_error(exact, plain(args.y));
        CHECK_MESSAGE(error <= tolerance(parts), implementation.name, " on ", execution.describe(),
                      " P=", c.points, " N=", c.N, " H=", c.H, " W=", c.W, " I=", c.I, " O=", c.O,
                      " K=", c.K, " stride=", c.stride, " parts=", parts, " relu=", extras.relu,
                      " residual=", static_cast<int>(extras.residual), ": off by ", error);
      });
}

}  // namespace

TEST_CASE("planar_conv: every implementation equals the reference, in one part and two") {
  for (const Case& c : kCases)
    for (int parts : {1, 2})
      check_case(c, {c.stride == 1, c.stride == 1 ? Residual::in_place : Residual::none}, parts);
}

TEST_CASE("planar_conv: every combination of what is optional") {
  for (const Case& c : {Case{1, 1, 8, 16, 16, 32, 3, 1}, Case{2, 1, 16, 16, 16, 64, 1, 2}})
    for (int parts : {1, 2})
      for (bool relu : {false, true})
        for (Residual residual : {Residual::none, Residual::apart, Residual::in_place})
          check_case(c, {relu, residual}, parts);
}

TEST_CASE("planar_conv: a NaN passes the maximum and goes where its windows are") {
  const Tensor x = normals({3, 8, 8, 16}, 1), w = normals({64, 3, 3, 16}, 2);
  const int64_t there = 64 + 2 * 8 + 4;  // pixel (2, 4) of image 1
  x.data<float>()[there * 16 + 5] = std::nanf("");
  for (int parts : {1, 2})
    for_each_execution<PlanarConvArgs>(
        [&](const auto& implementation, const Execution&, Context& context) {
          const PlanarImages y = PlanarImages::zeros({3, 8, 8, 64}, parts, context.device());
          implementation.run({.y = y,
                              .x = planar(x, parts, context.device()),
                              .w = fragments_of(w, 1, parts, context),
                              .bias = normals({64}, 3).to(context.device()),
                              .filters = w.shape(),
                              .geometry = {1, 1},
                              .relu = true},
                             context);
          const Tensor out = plain(y);
          int64_t wrong = 0;
          for (int64_t i = 0; i < out.size(); ++i) {
            const int64_t pixel = i / 64, h = pixel % 64 / 8, v = pixel % 8;
            const bool meets = pixel / 64 == 1 && std::abs(h - 2) <= 1 && std::abs(v - 4) <= 1;
            wrong += std::isnan(out.data<double>()[i]) != meets;
          }
          CHECK_MESSAGE(wrong == 0, implementation.name, " in ", parts, " parts");
        });
}

TEST_CASE("to_planes, from_planes: numbers lie where the layout says, rounded to the nearest") {
  for (const Shape& shape : {Shape{3, 5, 7, 3}, Shape{2, 4, 8, 16}, Shape{1, 9, 3, 37}})
    for (int parts : {1, 2}) {
      const Tensor x = normals(shape, 1);
      for_each_execution<ToPlanesArgs>(
          [&](const auto& implementation, const Execution&, Context& context) {
            const PlanarImages y = PlanarImages::zeros(shape, parts, context.device());
            implementation.run({.y = y, .x = x.to(context.device())}, context);
            CHECK(relative_error(rounded(x, parts), plain(y)) == 0);
          });
      for_each_execution<FromPlanesArgs>(
          [&](const auto& implementation, const Execution&, Context& context) {
            const Tensor y(shape, DType::f32, context.device());
            implementation.run({.y = y, .x = planar(x, parts, context.device())}, context);
            CHECK(relative_error(rounded(x, parts), y.converted(DType::f64)) == 0);
          });
    }
}

// The layout of mma.m16n8k16's right operand, from the PTX ISA.
TEST_CASE("pack_fragments: lanes find their channels and filters, of every layer and network") {
  const int64_t P = 2;
  const Tensor table({2, PackedLayer::kColumns}, DType::i32);
  auto* layers = reinterpret_cast<PackedLayer*>(table.data<int32_t>());
  layers[0] = {.weights = 5, .fragments = 0, .O = 16, .I = 3, .KH = 3, .KW = 3};
  const auto first = static_cast<int32_t>(layers[0].size());
  layers[1] = {.weights = 5 + 16 * 27 + 9, .fragments = first, .O = 32, .I = 32, .KH = 1, .KW = 1};
  const int64_t a_network = layers[1].weights + 32 * 32, a_part = first + layers[1].size();
  const Tensor weights = normals({P * a_network}, 1);
  for (int parts : {1, 2})
    for_each_execution<PackFragmentsArgs>(
        [&](const auto& implementation, const Execution&, Context& context) {
          const Tensor fragments({P * parts * a_part}, DType::bf16, context.device());
          implementation.run({.fragments = fragments,
                              .weights = weights.to(context.device()),
                              .layers = table.to(context.device()),
                              .points = P,
                              .parts = parts},
                             context);
          const Tensor here = fragments.to(Device::cpu);
          const Bf16* got = here.data<Bf16>();
          int64_t wrong = 0;
          for (int l = 0; l < 2; ++l) {
            const PackedLayer& f = layers[l];
            for (int64_t p = 0; p < P; ++p)
              for (int block = 0; block < f.O / 16; ++block)
                for (int chunk = 0; chunk < (f.I + 15) / 16; ++chunk)
                  for (int part = 0; part < parts; ++part)
                    for (int kw = 0; kw < f.KW; ++kw)
                      for (int kh = 0; kh < f.KH; ++kh)
                        for (int lane = 0; lane < 32; ++lane)
                          for (int e = 0; e < 8; ++e, ++got) {
                            const int o = block * 16 + e / 4 * 8 + lane / 4;
                            const int i = chunk * 16 + e / 2 % 2 * 8 + lane % 4 * 2 + e % 2;
                            const int64_t at =
                                P * f.weights + (((p * f.O + o) * f.KH + kh) * f.KW + kw) * f.I + i;
                            const float value = i < f.I ? weights.data<float>()[at] : 0;
                            const float high = to_float(to_bf16(value));
                            wrong += *got != to_bf16(part == 0 ? value : value - high);
                          }
          }
          CHECK_MESSAGE(wrong == 0, implementation.name, " in ", parts, " parts");
        });
}

TEST_CASE("planar_conv: what fits, and what is refused") {
  const auto fits = [](const Shape& w, int stride, int padding, int64_t H, int64_t W) {
    return planar_conv_fits(w, {stride, padding}, H, W);
  };
  CHECK(fits({16, 3, 3, 3}, 1, 1, 32, 32));
  CHECK(fits({32, 3, 3, 16}, 2, 1, 32, 32));
  CHECK(fits({64, 1, 1, 32}, 2, 0, 16, 16));
  CHECK_FALSE(fits({16, 3, 3, 16}, 1, 1, 32, 28));
  CHECK_FALSE(fits({16, 3, 3, 16}, 1, 1, 12, 32));
  CHECK_FALSE(fits({32, 3, 3, 16}, 1, 1, 8, 8));
  CHECK_FALSE(fits({16, 3, 3, 16}, 1, 0, 32, 32));
  CHECK_FALSE(fits({16, 1, 1, 16}, 1, 0, 32, 32));
  CHECK_FALSE(fits({64, 3, 3, 16}, 2, 1, 64, 64));
  CHECK_FALSE(planar_conv_fits({16, 3, 3, 8}, {1, 1, 1, 2}, 32, 32));
  Context context;
  const PlanarImages x = PlanarImages::zeros({2, 8, 8, 16}, 1, Device::cpu);
  const PlanarImages y = PlanarImages::zeros({2, 8, 8, 64}, 1, Device::cpu);
  const PlanarConvArgs good{.y = y,
                            .x = x,
                            .w = Tensor::zeros({64 * 9 * 16}, DType::bf16),
                            .bias = Tensor::zeros({64}),
                            .residual = PlanarImages{},
                            .filters = {64, 3, 3, 16},
                            .geometry = {1, 1}};
  CHECK_NOTHROW(planar_conv(good, context));
  const auto refused = [&](auto change) {
    PlanarConvArgs args = good;
    change(args);
    CHECK_THROWS_AS(planar_conv(args, context), Error);
  };
  refused([](PlanarConvArgs& a) { a.points = 2; });
  refused([](PlanarConvArgs& a) { a.points = 3; });
  refused([](PlanarConvArgs& a) { a.x = PlanarImages::zeros({2, 8, 8, 16}, 2, Device::cpu); });
  refused([](PlanarConvArgs& a) { a.x.N = 1; });
  refused([](PlanarConvArgs& a) { a.bias = Tensor(); });
  refused([](PlanarConvArgs& a) { a.w = a.w.slice(0, {64 * 9}); });
  refused([&](PlanarConvArgs& a) { a.residual = x; });
}
