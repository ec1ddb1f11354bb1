#include "kernels/pool/pool.h"
#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

struct PoolCase {
  int64_t N, H, W, C;
  PoolGeometry geometry;
  Shape image() const { return {N, H, W, C}; }
  int64_t OH = 0, OW = 0;  ///< of adaptive windows
  Shape pooled() const {
    if (geometry.adaptive) return {N, OH, OW, C};
    return {N, geometry.output_height(H), geometry.output_width(W), C};
  }
};

const PoolCase kCases[] = {
    {0, 4, 4, 3, {2, 2, 0}},
    {1, 1, 1, 1, {1, 1, 0}},
    {2, 8, 6, 33, {2, 2, 0}},
    {1, 5, 7, 3, {2, 2, 0}},
    {2, 7, 5, 31, {3, 2, 1}},
    {1, 6, 6, 2, {3, 1, 1}},
    {1, 9, 4, 5, {4, 3, 2}},
    {2, 5, 5, 3, {2, 2, 0}},
    {1, 5, 5, 0, {2, 2, 0}},
    {1, 7, 6, 5, {{3, 2}, {1, 2}, {1, 0}}},
    {1, 6, 5, 3, {{6, 1}, 1, 0}},  // the whole height
    {2, 7, 8, 3, {.kernel = 2, .stride = 3, .padding = {1, 0}, .ceil_mode = true}},
    {1, 2, 9, 2, {.kernel = 3, .stride = 2, .ceil_mode = true}},  // lower than a window
    {1, 7, 6, 3, {.kernel = 3, .stride = 2, .padding = 1, .count_include_pad = false}},
    {1, 7, 6, 3, {.kernel = {2, 3}, .stride = 2, .padding = {0, 1}, .divisor = 5}},
    {1, 7, 5, 33, {.adaptive = true}, 3, 3},
    {1, 3, 4, 2, {.adaptive = true}, 5, 4},  // windows of one pixel, some of them the same
    {1, 6, 5, 2, {.adaptive = true}, 1, 2}};

/// Windows with gaps, of a maximum alone.
const PoolCase kDilatedCases[] = {
    {1, 9, 8, 3, {.kernel = 3, .stride = 1, .padding = 1, .dilation = 2}},
    {2, 8, 9, 17, {.kernel = {2, 3}, .stride = {3, 2}, .padding = {1, 0}, .dilation = {3, 2}}},
    {1, 6, 6, 2, {.kernel = 2, .stride = 2, .padding = 1, .dilation = 3, .ceil_mode = true}}};

/// Returns an image on the CPU: normals, or few values, so that windows hold their maximum several
/// times, and NaN.
Tensor image(const Shape& shape, DType real, bool ties) {
  const Philox random(17, RandomStream::test);
  const float few[] = {0, 1, 2, 2, std::nanf("")};
  Tensor values(shape);
  for (int64_t i = 0; i < values.size(); ++i) {
    const auto index = static_cast<uint64_t>(i);
    values.data<float>()[i] =
        ties ? few[random.below(index, 5)] : static_cast<float>(random.normal(index));
  }
  return values.converted(real);
}

/// An image, and its maxima.
struct Maxima {
  Tensor x, y;
};
Maxima maxima(Operands& o, const PoolCase& c, bool ties) {
  const Tensor x = image(c.image(), o.real(), ties), y(c.pooled(), o.real());
  Context context;
  pool_forward({.y = y, .x = x, .kind = PoolKind::max, .geometry = c.geometry}, context);
  return {o.given(x), o.given(y)};
}

/// Returns the arguments of a backward pass; for a maximum behind a forward pass over such an
/// image.
PoolBackwardArgs backward_args(Operands& o, const PoolCase& c, PoolKind kind, Write write,
                               bool ties) {
  PoolBackwardArgs args{.dx = o.output(c.image(), write), .dy = o.normal(c.pooled())};
  if (kind == PoolKind::max) {
    const auto [x, y] = maxima(o, c, ties);
    args.x = x;
    args.y = y;
  }
  args.kind = kind;
  args.geometry = c.geometry;
  args.write = write;
  return args;
}

}  // namespace

TEST_CASE("pool: every implementation equals the reference, forward and backward") {
  const auto check = [](const PoolCase& c, PoolKind kind, bool ties) {
    const std::string what = text(name_of(kind), " ", c.image(), " to ", c.pooled(), ", kernel ",
                                  c.geometry.kernel.h, ties ? ", ties and NaN" : "");
    check_op<PoolForwardArgs>(
        "pool_forward " + what,
        [&](Operands& o) {
          return PoolForwardArgs{.y = o.output(c.pooled()),
                                 .x = o.given(image(c.image(), o.real(), ties)),
                                 .kind = kind,
                                 .geometry = c.geometry};
        },
        1e-6);  // at most 16 terms
    for (Write write : {Write::overwrite, Write::accumulate})
      check_op<PoolBackwardArgs>(
          "pool_backward " + what,
          [&](Operands& o) { return backward_args(o, c, kind, write, ties); },
          1e-6);  // at most 9 windows share a pixel
  };
  for (bool ties : {false, true}) {
    for (const PoolCase& c : kCases)
      for (PoolKind kind : {PoolKind::max, PoolKind::average}) check(c, kind, ties);
    for (const PoolCase& c : kDilatedCases) check(c, PoolKind::max, ties);
  }
}

TEST_CASE("pool: the tangent of a maximum follows the first pixel that holds it") {
  std::vector<PoolCase> cases(std::begin(kCases), std::end(kCases));
  cases.insert(cases.end(), std::begin(kDilatedCases), std::end(kDilatedCases));
  for (const PoolCase& c : cases)
    for (bool ties : {false, true})
      check_op<MaxPoolTangentArgs>(
          text("max_pool_tangent ", c.image(), ties ? ", ties and NaN" : ""),
          [&](Operands& o) {
            const auto [x, y] = maxima(o, c, ties);
            return MaxPoolTangentArgs{.y_tangent = o.output(c.pooled()),
                                      .x_tangent = o.normal(c.image()),
                                      .x = x,
                                      .y = y,
                                      .geometry = c.geometry};
          },
          0);
}

TEST_CASE("pool: more elements than a grid has threads") {
  const PoolCase c{1, 300, 701, 5, {1, 1, 0}};
  check_op<PoolForwardArgs>(
      "pool_forward",
      [&](Operands& o) {
        return PoolForwardArgs{
            .y = o.output(c.image()), .x = o.pattern(c.image()), .geometry = c.geometry};
      },
      0);
  check_op<PoolBackwardArgs>(
      "pool_backward",
      [&](Operands& o) {
        return PoolBackwardArgs{.dx = o.output(c.image()),
                                .dy = o.pattern(c.image()),
                                .kind = PoolKind::average,
                                .geometry = c.geometry};
      },
      0);
}

TEST_CASE("pool: a padded average divides by the whole window, a padded maximum ignores the rim") {
  const Tensor x({1, 2, 2, 1});
  for (int64_t i = 0; i < 4; ++i) x.data<float>()[i] = static_cast<float>(-1 - i);
  for_each_execution<PoolForwardArgs>([&](const auto& implementation, const Execution& execution,
                                          Context& context) {
    CAPTURE(text(implementation.name, " on ", execution.describe()));
    const auto pooled = [&](PoolKind kind) {
      const Tensor y({1, 1, 1, 1}, DType::f32, implementation.device);
      implementation.run(
          {.y = y, .x = x.to(implementation.device), .kind = kind, .geometry = {3, 3, 1}}, context);
      return y.to(Device::cpu).data<float>()[0];
    };
    CHECK(pooled(PoolKind::average) == doctest::Approx(-10.0 / 9));
    CHECK(pooled(PoolKind::max) == -1);
  });
}

// Values of PyTorch 1.13, by torch.nn.functional's max_pool2d, avg_pool2d, adaptive_max_pool2d and
// adaptive_avg_pool2d, of an image 5 x 4 whose pixel i is i * 7 mod 11.
TEST_CASE("pool: windows are PyTorch's") {
  const Tensor x({1, 5, 4, 1}, DType::f64);
  for (int64_t i = 0; i < 20; ++i) x.data<double>()[i] = static_cast<double>(i * 7 % 11);
  const auto check = [&](PoolKind kind, const PoolGeometry& geometry, int64_t OH, int64_t OW,
                         const std::vector<double>& expected) {
    if (!geometry.adaptive) {
      CHECK(geometry.output_height(5) == OH);
      CHECK(geometry.output_width(4) == OW);
    }
    const Tensor y({1, OH, OW, 1}, DType::f64);
    Context context;
    pool_forward({.y = y, .x = x, .kind = kind, .geometry = geometry}, context);
    for (int64_t i = 0; i < y.size(); ++i)
      CHECK(y.data<double>()[i] == doctest::Approx(expected[static_cast<size_t>(i)]));
  };
  check(PoolKind::max, {.kernel = {3, 2}, .stride = {2, 1}, .padding = {1, 0}}, 3, 3,
        {7, 9, 10, 8, 10, 10, 9, 10, 10});
  check(PoolKind::max, {.kernel = 2, .stride = 3, .padding = 1, .ceil_mode = true}, 2, 2,
        {0, 10, 7, 10});
  check(PoolKind::max, {.kernel = 3, .stride = 1, .padding = 1, .dilation = 2}, 3, 2,
        {6, 10, 10, 5, 6, 10});
  check(PoolKind::average, {.kernel = 3, .stride = 2, .padding = 1, .ceil_mode = true}, 3, 3,
        {1.6666666667, 4, 2.5, 3, 5.2222222222, 1.8333333333, 2.3333333333, 3.7777777778,
         1.1666666667});
  check(PoolKind::average,
        {.kernel = {2, 3}, .stride = {3, 2}, .padding = {1, 1}, .ceil_mode = true}, 2, 3,
        {1.1666666667, 3.3333333333, 2.5, 3.1666666667, 5.1666666667, 1.5});
  check(PoolKind::average, {.kernel = 3, .stride = 2, .padding = 1, .count_include_pad = false}, 3,
        2, {3.75, 6, 4.5, 5.2222222222, 5.25, 5.6666666667});
  check(PoolKind::average, {.kernel = 2, .stride = 2, .ceil_mode = true, .divisor = 3}, 3, 2,
        {5, 9, 6.3333333333, 6.6666666667, 3.6666666667, 2});
  check(PoolKind::average, {.kernel = {5, 1}}, 1, 4, {3.2, 5.8, 6.2, 4.4});
  check(PoolKind::max, {.adaptive = true}, 3, 3, {7, 9, 10, 8, 10, 10, 9, 10, 10});
  check(PoolKind::average, {.adaptive = true}, 2, 6,
        {2.3333333333, 4, 5.6666666667, 5.3333333333, 5.1666666667, 5, 3.3333333333, 5,
         6.6666666667, 6.3333333333, 4.3333333333, 2.3333333333});
}

TEST_CASE("pool: of equal maxima the first gets the gradient; -inf and NaN are maxima too") {
  const float inf = std::numeric_limits<float>::infinity();
  const float nan = std::nanf("");
  const PoolGeometry geometry{2, 2, 0};
  // One window of four pixels per row, and which of them is the maximum.
  const struct {
    float x[4];
    int64_t first;
  } windows[] = {{{1, 2, 2, 0}, 1},
                 {{3, 3, 3, 3}, 0},
                 {{-inf, -inf, -inf, -inf}, 0},
                 {{1, nan, 5, 7}, 1},
                 {{1, 2, 3, nan}, 3}};
  const int64_t C = 37;  // vectors and single channels
  for (const auto& window : windows) {
    const Tensor x({1, 2, 2, C}), y({1, 1, 1, C}), dy({1, 1, 1, C});
    for (int64_t i = 0; i < x.size(); ++i) x.data<float>()[i] = window.x[i / C];
    std::fill_n(y.data<float>(), C, window.x[window.first]);
    std::fill_n(dy.data<float>(), C, 5.0F);
    for_each_execution<PoolForwardArgs>(
        [&](const auto& implementation, const Execution& execution, Context& context) {
          CAPTURE(text(implementation.name, " on ", execution.describe()));
          const Tensor there(y.shape(), DType::f32, implementation.device);
          implementation.run({.y = there, .x = x.to(implementation.device), .geometry = geometry},
                             context);
          CHECK(relative_error(y, there.to(Device::cpu)) == 0);
        });
    for_each_execution<PoolBackwardArgs>(
        [&](const auto& implementation, const Execution& execution, Context& context) {
          CAPTURE(text(implementation.name, " on ", execution.describe()));
          const Tensor there(x.shape(), DType::f32, implementation.device);
          implementation.run({.dx = there,
                              .dy = dy.to(implementation.device),
                              .x = x.to(implementation.device),
                              .y = y.to(implementation.device),
                              .geometry = geometry},
                             context);
          const Tensor dx = there.to(Device::cpu);
          for (int64_t i = 0; i < dx.size(); ++i)
            CHECK(dx.data<float>()[i] == (i / C == window.first ? 5 : 0));
        });
  }
}

TEST_CASE("global_average_pool: every implementation equals the reference") {
  const Shape images[] = {
      {0, 4, 4, 3},  {1, 1, 1, 1}, {2, 8, 8, 64},  {3, 5, 7, 31},
      {2, 3, 1, 33}, {1, 2, 2, 0}, {4100, 1, 2, 3}};  // more tiles than a grid has blocks
  for (const Shape& image : images) {
    const Shape mean{image[0], image[3]};
    check_op<GlobalAveragePoolForwardArgs>(
        text("global_average_pool_forward ", image),
        [&](Operands& o) {
          return GlobalAveragePoolForwardArgs{.y = o.output(mean), .x = o.normal(image)};
        },
        2e-6);  // a sum of 64 in f32: sqrt(64) roundings of 6e-8, with room
    for (Write write : {Write::overwrite, Write::accumulate})
      check_op<GlobalAveragePoolBackwardArgs>(
          text("global_average_pool_backward ", image),
          [&](Operands& o) {
            return GlobalAveragePoolBackwardArgs{
                .dx = o.output(image, write), .dy = o.normal(mean), .write = write};
          },
          3e-7);
  }
}

TEST_CASE("global_average_pool: more elements than a grid has threads") {
  const Shape image{70001, 1, 3, 5}, mean{70001, 5};
  check_op<GlobalAveragePoolBackwardArgs>(
      "global_average_pool_backward",
      [&](Operands& o) {
        return GlobalAveragePoolBackwardArgs{.dx = o.output(image), .dy = o.pattern(mean)};
      },
      1e-7);  // a third, and a product
  // "block" would take 210,001 blocks, too slow to emulate; its case is above.
  const Tensor x({210001, 1, 1, 5});
  for (int64_t i = 0; i < x.size(); ++i) x.data<float>()[i] = static_cast<float>(i % 1001);
  for_each_execution<GlobalAveragePoolForwardArgs>(
      [&](const auto& implementation, const Execution& execution, Context& context) {
        if (implementation.name == "block" || execution.schedule > 0) return;
        const Tensor y({210001, 5}, DType::f32, implementation.device);
        implementation.run({.y = y, .x = x.to(implementation.device)}, context);
        CHECK_MESSAGE(relative_error(x.reshaped(y.shape()), y.to(Device::cpu)) == 0,
                      implementation.name);
      });
}

TEST_CASE("global_average_pool: NaN stays in its channel") {
  const Tensor x = Tensor::zeros({1, 3, 3, 37});
  x.data<float>()[4 * 37 + 2] = x.data<float>()[8 * 37 + 36] = std::nanf("");
  for_each_execution<GlobalAveragePoolForwardArgs>(
      [&](const auto& implementation, const Execution& execution, Context& context) {
        CAPTURE(text(implementation.name, " on ", execution.describe()));
        const Tensor there({1, 37}, DType::f32, implementation.device);
        implementation.run({.y = there, .x = x.to(implementation.device)}, context);
        const Tensor y = there.to(Device::cpu);
        for (int64_t c = 0; c < 37; ++c)
          CHECK(std::isnan(y.data<float>()[c]) == (c == 2 || c == 36));
      });
}

TEST_CASE("pool: impossible windows and shapes are refused") {
  Context context;
  const Tensor x({1, 4, 4, 2}), y({1, 2, 2, 2});
  const auto pool = [&](const Tensor& out, PoolGeometry g) {
    pool_forward({.y = out, .x = x, .kind = PoolKind::max, .geometry = g}, context);
  };
  CHECK_THROWS_WITH_AS(pool(y, {3, 2, 0}),
                       "pool_forward: [1x4x4x2] pools to [1x1x1x2] of the same type, not to "
                       "[1x2x2x2]",
                       Error);
  CHECK_THROWS_AS(pool(y, {2, 0, 0}), Error);
  CHECK_THROWS_AS(pool(y, {2, 2, 2}), Error);
  CHECK_THROWS_AS(pool(y, {5, 1, 0}), Error);
  const auto refuses = [](PoolKind kind, const PoolGeometry& g, const char* message) {
    CHECK_THROWS_WITH_AS(g.check("layer", kind, 4, 4), message, Error);
  };
  refuses(PoolKind::average, {.kernel = 2, .dilation = 2},
          "layer: the windows of an average have no dilation, got 2");
  refuses(PoolKind::max, {.kernel = {3, 1}, .padding = 1},
          "layer: padding 1 of kernel 3x1; the padding must be at most half the kernel");
  refuses(PoolKind::max, {.kernel = 2, .padding = 1, .dilation = 5},
          "layer: window 0 over 4 pixels holds none of them, kernel 2 with padding 1 and "
          "dilation 5");
  CHECK_THROWS_AS(pool_backward({.dx = x, .dy = y, .geometry = {2, 2, 0}}, context), Error);
  CHECK_THROWS_AS(global_average_pool_forward({.y = Tensor({1, 3}), .x = x}, context), Error);
  CHECK_THROWS_AS(
      global_average_pool_forward({.y = Tensor({1, 2}), .x = Tensor({1, 0, 4, 2})}, context),
      Error);
}
