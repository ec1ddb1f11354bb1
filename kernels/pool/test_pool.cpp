#include "kernels/pool/pool.h"
#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

struct PoolCase {
  int64_t N, H, W, C;
  PoolGeometry geometry;
  Shape image() const { return {N, H, W, C}; }
  Shape pooled() const { return {N, geometry.output_extent(H), geometry.output_extent(W), C}; }
};

const PoolCase kCases[] = {
    {0, 4, 4, 3, {2, 2, 0}}, {1, 1, 1, 1, {1, 1, 0}},  {2, 8, 6, 33, {2, 2, 0}},
    {1, 5, 7, 3, {2, 2, 0}}, {2, 7, 5, 31, {3, 2, 1}}, {1, 6, 6, 2, {3, 1, 1}},
    {1, 9, 4, 5, {4, 3, 2}}, {2, 5, 5, 3, {2, 2, 0}},  {1, 5, 5, 0, {2, 2, 0}}};

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
  for (const PoolCase& c : kCases)
    for (PoolKind kind : {PoolKind::max, PoolKind::average})
      for (bool ties : {false, true}) {
        const std::string what = text(name_of(kind), " ", c.image(), " kernel ", c.geometry.kernel,
                                      ties ? ", ties and NaN" : "");
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
      }
}

TEST_CASE("pool: the tangent of a maximum follows the first pixel that holds it") {
  for (const PoolCase& c : kCases)
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
  CHECK_THROWS_AS(pool_backward({.dx = x, .dy = y, .geometry = {2, 2, 0}}, context), Error);
  CHECK_THROWS_AS(global_average_pool_forward({.y = Tensor({1, 3}), .x = x}, context), Error);
  CHECK_THROWS_AS(
      global_average_pool_forward({.y = Tensor({1, 2}), .x = Tensor({1, 0, 4, 2})}, context),
      Error);
}
