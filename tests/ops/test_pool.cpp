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

const PoolCase kCases[] = {{0, 4, 4, 3, {2, 2, 0}},  {1, 1, 1, 1, {1, 1, 0}},
                           {2, 8, 6, 33, {2, 2, 0}}, {1, 5, 7, 3, {2, 2, 0}},
                           {2, 7, 5, 31, {3, 2, 1}}, {1, 6, 6, 2, {3, 1, 1}},
                           {1, 9, 4, 5, {4, 3, 2}},  {1, 5, 5, 0, {2, 2, 0}}};

/// The forward pass's output for input x, as the backward pass wants it.
Tensor pooled(Operands& o, const Tensor& x, const PoolCase& c) {
  const Tensor y = o.normal(c.pooled());
  Context context;
  pool_forward({.y = y, .x = x, .kind = PoolKind::max, .geometry = c.geometry}, context);
  return y;
}

}  // namespace

TEST_CASE("pool: every row equals the reference, forward and backward") {
  for (const PoolCase& c : kCases)
    for (PoolKind kind : {PoolKind::max, PoolKind::average}) {
      const std::string what = text(name_of(kind), " ", c.image(), " kernel ", c.geometry.kernel);
      check_op<PoolForwardArgs>(
          "pool_forward " + what,
          [&](Operands& o) {
            return PoolForwardArgs{.y = o.output(c.pooled()),
                                   .x = o.normal(c.image()),
                                   .kind = kind,
                                   .geometry = c.geometry};
          },
          1e-6);  // at most 16 terms
      for (Write write : {Write::overwrite, Write::accumulate})
        check_op<PoolBackwardArgs>(
            "pool_backward " + what,
            [&](Operands& o) {
              PoolBackwardArgs args{.dx = o.output(c.image(), write), .dy = o.normal(c.pooled())};
              if (kind == PoolKind::max) {
                args.x = o.normal(c.image());
                args.y = pooled(o, args.x, c);
              }
              args.kind = kind;
              args.geometry = c.geometry;
              args.write = write;
              return args;
            },
            1e-6);  // at most 9 windows share a pixel
    }
}

TEST_CASE("pool: a padded average divides by the whole window, a padded maximum ignores the rim") {
  Context context;
  const Tensor x({1, 2, 2, 1});
  for (int64_t i = 0; i < 4; ++i) x.data<float>()[i] = static_cast<float>(-1 - i);
  const Tensor y({1, 1, 1, 1});
  const PoolGeometry geometry{3, 3, 1};
  pool_forward({.y = y, .x = x, .kind = PoolKind::average, .geometry = geometry}, context);
  CHECK(y.data<float>()[0] == doctest::Approx(-10.0 / 9));
  pool_forward({.y = y, .x = x, .kind = PoolKind::max, .geometry = geometry}, context);
  CHECK(y.data<float>()[0] == -1);
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
  for (const char* row : {"reference", "highway"})
    for (const auto& window : windows) {
      Context context;
      context.force_implementation("pool", row);
      const Tensor x({1, 2, 2, C}), y({1, 1, 1, C}), dy({1, 1, 1, C}), dx({1, 2, 2, C});
      for (int64_t i = 0; i < x.size(); ++i) x.data<float>()[i] = window.x[i / C];
      std::fill_n(dy.data<float>(), C, 5.0F);
      pool_forward({.y = y, .x = x, .kind = PoolKind::max, .geometry = geometry}, context);
      const float maximum = window.x[window.first];
      for (int64_t c = 0; c < C; ++c) {
        const float got = y.data<float>()[c];
        CHECK((got == maximum || (std::isnan(got) && std::isnan(maximum))));
      }
      pool_backward(
          {.dx = dx, .dy = dy, .x = x, .y = y, .kind = PoolKind::max, .geometry = geometry},
          context);
      for (int64_t i = 0; i < dx.size(); ++i)
        CHECK(dx.data<float>()[i] == (i / C == window.first ? 5 : 0));
    }
}

TEST_CASE("global_average_pool: every row equals the reference") {
  const Shape images[] = {{0, 4, 4, 3},  {1, 1, 1, 1},  {2, 8, 8, 64},
                          {3, 5, 7, 31}, {2, 3, 1, 33}, {1, 2, 2, 0}};
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

TEST_CASE("global_average_pool: NaN stays in its channel") {
  Context context;
  for (const char* row : {"highway", "reference"}) {
    context.force_implementation("global_average_pool_forward", row);
    const Tensor x = Tensor::zeros({1, 3, 3, 37});
    x.data<float>()[4 * 37 + 2] = x.data<float>()[8 * 37 + 36] = std::nanf("");
    const Tensor y({1, 37});
    global_average_pool_forward({.y = y, .x = x}, context);
    for (int64_t c = 0; c < 37; ++c) CHECK(std::isnan(y.data<float>()[c]) == (c == 2 || c == 36));
  }
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
