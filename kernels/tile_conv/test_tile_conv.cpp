// Convolutions in bf16 and bf16x3 on tiled images: every implementation against fused_conv's
// reference in double, from plain images to plain images.
#include "kernels/tile_conv/tile_conv.h"

#include "kernels/core/bf16.h"
#include "kernels/fused_conv/fused_conv.h"
#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

struct Case {
  int64_t N, H, W, I, O, K;
  int stride, padding;
};

// Each way of tiles through images: rows of 16 and their divisors; images side by side, all and in
// part; from alone to side by side; strides; what does not fill a tile's 32 columns; 16, 32 and 48
// filters.
const Case kCases[] = {
    {2, 32, 32, 3, 16, 3, 1, 1},  {1, 6, 32, 16, 16, 3, 1, 1},  {3, 16, 16, 32, 32, 3, 1, 1},
    {3, 8, 8, 64, 64, 3, 1, 1},   {1, 8, 8, 64, 32, 3, 1, 1},   {2, 16, 16, 16, 32, 3, 2, 1},
    {3, 16, 16, 32, 64, 3, 2, 1}, {2, 16, 16, 32, 64, 1, 2, 0}, {5, 4, 4, 64, 48, 3, 1, 1},
    {3, 8, 8, 64, 96, 3, 2, 1},   {9, 2, 2, 32, 16, 3, 1, 1},   {2, 5, 7, 24, 16, 3, 1, 1},
    {4, 7, 28, 8, 32, 5, 1, 1},   {17, 1, 1, 64, 16, 1, 1, 0},  {0, 8, 8, 32, 16, 3, 1, 1},
    {3, 12, 6, 32, 32, 3, 1, 1},  {1, 33, 17, 10, 16, 3, 3, 0},
};

enum class Residual { none, apart, in_place };

struct Extras {
  bool bias, relu;
  Residual residual;
};

Tensor normals(const Shape& shape, uint64_t seed) {
  const Tensor t(shape);
  const Philox random(seed, RandomStream::test);
  for (int64_t i = 0; i < t.size(); ++i)
    t.data<float>()[i] = static_cast<float>(random.normal(static_cast<uint64_t>(i)));
  return t;
}

TiledImages tiled(const Tensor& x, int parts, Context& context) {
  const TiledImages y = TiledImages::zeros(x.dim(0), x.dim(1), x.dim(2), x.dim(3), parts);
  tile_images({.y = y, .x = x}, context);
  return y;
}

Tensor plain(const TiledImages& x, Context& context) {
  const Tensor y({x.N, x.H, x.W, x.C});
  untile_images({.y = y, .x = x}, context);
  return y;
}

/// Whether all that is not an image's pixel is still zero.
bool border_is_zero(const TiledImages& images) {
  std::vector<bool> pixel(static_cast<size_t>(images.size()), false);
  for (int64_t n = 0; n < images.groups() * images.side(); ++n)
    for (int64_t h = 0; h < images.H; ++h)
      for (int64_t w = 0; w < images.W; ++w)
        for (int64_t c = 0; c < images.parts * images.C; ++c)
          pixel[static_cast<size_t>(images.image(n) + h * images.row() + w * images.pixel() +
                                    c / images.C * images.part() + c % images.C)] = true;
  for (int64_t i = 0; i < images.size(); ++i)
    if (!pixel[static_cast<size_t>(i)] && *images.at(i) != Bf16{}) return false;
  return true;
}

/// Returns fused_conv's reference in double.
Tensor expected(const Case& c, const Extras& extras, const Tensor& x, const Tensor& w,
                const Tensor& bias, const Tensor& residual) {
  const auto exact = [](const Tensor& t) { return t.defined() ? t.converted(DType::f64) : t; };
  const Tensor y(residual.shape(), DType::f64);
  Context context;
  context.force_implementation("fused_conv", "reference");
  fused_conv({.y = y,
              .x = exact(x),
              .w = exact(w),
              .bias = extras.bias ? exact(bias) : Tensor(),
              .residual = extras.residual == Residual::none ? Tensor() : exact(residual),
              .geometry = {c.stride, c.padding},
              .relu = extras.relu},
             context);
  return y;
}

// Bound as in test_fused_conv.cpp: an operand of one part is off by 2^-9 of itself, and so is the
// result; of two parts by 2^-17, and the product of the second parts, 2^-16 of the whole, is left
// out.
double tolerance(int parts) {
  return parts == 1 ? 0x1p-7 : 0x1p-14;
}

void check_case(const Case& c, const Extras& extras, int parts) {
  const ConvGeometry geometry{c.stride, c.padding};
  const Tensor x = normals({c.N, c.H, c.W, c.I}, 1), w = normals({c.O, c.K, c.K, c.I}, 2);
  const Tensor bias = normals({c.O}, 3);
  const Tensor residual = normals(geometry.output(x.shape(), w.shape()), 4);
  const Tensor exact = expected(c, extras, x, w, bias, residual);
  for_each_execution<TileConvArgs>([&](const auto& implementation, const Execution&,
                                       Context& context) {
    if (!implementation.supports({})) return;
    for (const char* op : {"tile_images", "untile_images"})
      context.force_implementation(op, std::string(implementation.name));
    const bool in_place = extras.residual == Residual::in_place;
    const TiledImages before = tiled(residual, parts, context);
    const TiledImages y =
        in_place ? before : TiledImages::zeros(c.N, residual.dim(1), residual.dim(2), c.O, parts);
    const TileConvArgs args{.y = y,
                            .x = tiled(x, parts, context),
                            .w = w,
                            .bias = extras.bias ? bias : Tensor(),
                            .residual = extras.residual == Residual::none ? TiledImages{} : before,
                            .geometry = geometry,
                            .relu = extras.relu};
    args.check();
    implementation.run(args, context);
    const double error = relative_error(exact, plain(y, context));
    CHECK_MESSAGE(error <= tolerance(parts), implementation.name, " N=", c.N, " H=", c.H,
                  " W=", c.W, " I=", c.I, " O=", c.O, " K=", c.K, " stride=", c.stride,
                  " parts=", parts, " bias=", extras.bias, " relu=", extras.relu,
                  " residual=", static_cast<int>(extras.residual), ": off by ", error);
    CHECK_MESSAGE(border_is_zero(y), implementation.name, " N=", c.N, " W=", c.W, " O=", c.O);
  });
}

}  // namespace

TEST_CASE("tile_conv: every implementation equals the reference, in one part and two") {
  for (const Case& c : kCases)
    for (int parts : {1, 2})
      for (const Extras& extras :
           {Extras{true, true, Residual::in_place}, Extras{false, false, Residual::none}})
        check_case(c, extras, parts);
}

TEST_CASE("tile_conv: every combination of what is optional") {
  for (const Case& c : {Case{2, 4, 16, 32, 32, 3, 1, 1}, Case{3, 3, 8, 32, 16, 1, 1, 0}})
    for (int parts : {1, 2})
      for (bool bias : {false, true})
        for (bool relu : {false, true})
          for (Residual residual : {Residual::none, Residual::apart, Residual::in_place})
            check_case(c, {bias, relu, residual}, parts);
}

TEST_CASE("tiled images: rounded to the nearest, ties to even; two parts keep 16 bits") {
  const float inf = std::numeric_limits<float>::infinity();
  const float values[] = {1.0F,
                          1.00390625F /* a tie */,
                          1.01171875F /* another */,
                          -3.1415927F,
                          1e-30F,
                          inf,
                          -inf,
                          0.0F,
                          3.39e38F};
  const float rounded[] = {1.0F,       1.0F,           1.015625F,
                           -3.140625F, 1.0018967e-30F, inf,
                           -inf,       0.0F,           to_float(to_bf16(3.39e38F))};
  const int64_t n = std::size(values);
  const Tensor x = Tensor::zeros({1, 1, n, 1});
  std::copy_n(values, n, x.data<float>());
  for_each_execution<TileImagesArgs>(
      [&](const auto& implementation, const Execution&, Context& context) {
        if (!implementation.supports({})) return;
        for (const char* op : {"tile_images", "untile_images"})
          context.force_implementation(op, std::string(implementation.name));
        const Tensor one = plain(tiled(x, 1, context), context);
        const Tensor two = plain(tiled(x, 2, context), context);
        for (int64_t i = 0; i < n; ++i) {
          CAPTURE(implementation.name);
          CAPTURE(values[i]);
          if (i != 4) CHECK(one.data<float>()[i] == rounded[i]);
          if (std::isinf(values[i]))
            CHECK(two.data<float>()[i] == values[i]);
          else
            CHECK(std::abs(two.data<float>()[i] - values[i]) <= 0x1p-16 * std::abs(values[i]));
        }
        x.data<float>()[0] = std::nanf("");
        for (int parts : {1, 2})
          CHECK(std::isnan(plain(tiled(x, parts, context), context).template data<float>()[0]));
        x.data<float>()[0] = values[0];
      });
}

TEST_CASE("tile_conv: a NaN passes the maximum and stays in its image") {
  const Tensor x = normals({3, 8, 8, 32}, 1), w = normals({16, 3, 3, 32}, 2);
  x.data<float>()[(64 + 20) * 32 + 5] = std::nanf("");  // an element of image 1
  for_each_execution<TileConvArgs>(
      [&](const auto& implementation, const Execution&, Context& context) {
        if (!implementation.supports({})) return;
        const TiledImages y = TiledImages::zeros(3, 8, 8, 16, 1);
        implementation.run(
            {.y = y, .x = tiled(x, 1, context), .w = w, .geometry = {1, 1}, .relu = true}, context);
        const Tensor out = plain(y, context);
        for (int64_t pixel = 0; pixel < 3 * 64; ++pixel) {
          const int64_t h = pixel % 64 / 8, v = pixel % 8;
          const bool near = pixel / 64 == 1 && std::abs(h - 2) <= 1 && std::abs(v - 4) <= 1;
          CHECK(std::isnan(out.data<float>()[pixel * 16 + 3]) == near);
        }
      });
}

TEST_CASE("tile_conv: images that disagree are refused") {
  Context context;
  const auto images = [](int64_t N, int64_t C, int parts) {
    return TiledImages::zeros(N, 4, 4, C, parts);
  };
  const Tensor w = Tensor::zeros({16, 3, 3, 32});
  const TileConvArgs good{.y = images(2, 16, 1), .x = images(2, 32, 1), .w = w, .geometry = {1, 1}};
  CHECK_NOTHROW(tile_conv(good, context));
  TileConvArgs bad = good;
  bad.y = images(3, 16, 1);
  CHECK_THROWS_AS(tile_conv(bad, context), Error);
  bad = good;
  bad.x = images(2, 32, 2);
  CHECK_THROWS_AS(tile_conv(bad, context), Error);
  bad = good;
  bad.geometry = {1, 2};
  CHECK_THROWS_AS(tile_conv(bad, context), Error);
  bad = good;
  bad.bias = Tensor::zeros({32});
  CHECK_THROWS_AS(tile_conv(bad, context), Error);
  bad = good;
  bad.residual = images(2, 32, 1);
  CHECK_THROWS_AS(tile_conv(bad, context), Error);
  CHECK_FALSE(tile_conv_fits({10, 3, 3, 32}, {1, 1}));
  CHECK_FALSE(tile_conv_fits({16, 3, 3, 32}, {.padding = 1, .groups = 2}));
  CHECK_FALSE(tile_conv_fits({16, 3, 3, 32}, {.padding = 1, .dilation = {1, 2}}));
  CHECK_FALSE(tile_conv_fits({16, 3, 3, 32}, {.stride = {1, 2}, .padding = 1}));
}
