#include "kernels/shortcut_a/shortcut_a.h"
#include "tests/ops/op_check.h"

using namespace topograd;
using namespace topograd::test;

TEST_CASE("shortcut_a: every implementation equals the reference") {
  const int64_t cases[][6] = {// N, H, W, Cin, Cout, stride
                              {0, 4, 4, 2, 4, 2},   {1, 1, 1, 1, 1, 1}, {2, 5, 7, 3, 8, 2},
                              {3, 8, 8, 16, 32, 2}, {1, 7, 4, 2, 5, 3}, {2, 3, 3, 4, 4, 1},
                              {1, 4, 4, 0, 3, 2}};
  for (const auto& [N, H, W, Cin, Cout, s] : cases) {
    const Shape wide{N, H, W, Cin};
    const Shape narrow{N, (H + s - 1) / s, (W + s - 1) / s, Cout};
    const int stride = static_cast<int>(s);
    const std::string what = text(wide, " to ", narrow);
    check_op<ShortcutAForwardArgs>(
        "shortcut_a_forward " + what,
        [&](Operands& o) {
          return ShortcutAForwardArgs{.y = o.output(narrow), .x = o.normal(wide), .stride = stride};
        },
        0);  // copies
    for (Write write : {Write::overwrite, Write::accumulate})
      check_op<ShortcutABackwardArgs>(
          "shortcut_a_backward " + what,
          [&](Operands& o) {
            return ShortcutABackwardArgs{.dx = o.output(wide, write),
                                         .dy = o.normal(narrow),
                                         .stride = stride,
                                         .write = write};
          },
          1e-7);  // one addition
  }
}

TEST_CASE("shortcut_a: more elements than a grid has threads") {
  const Shape wide{1, 300, 701, 5}, narrow{1, 300, 701, 6};
  check_op<ShortcutAForwardArgs>(
      "shortcut_a_forward",
      [&](Operands& o) {
        return ShortcutAForwardArgs{.y = o.output(narrow), .x = o.pattern(wide)};
      },
      0);
  check_op<ShortcutABackwardArgs>(
      "shortcut_a_backward",
      [&](Operands& o) {
        return ShortcutABackwardArgs{.dx = o.output(wide), .dy = o.pattern(narrow)};
      },
      0);
}

TEST_CASE("shortcut_a: pixels and channels land where option A puts them") {
  Context context;
  const Tensor x({1, 3, 3, 1});
  for (int64_t i = 0; i < 9; ++i) x.data<float>()[i] = static_cast<float>(i + 1);
  const Tensor y({1, 2, 2, 4});  // three new channels: one before, two after
  shortcut_a_forward({.y = y, .x = x, .stride = 2}, context);
  const float expected[] = {0, 1, 0, 0, 0, 3, 0, 0, 0, 7, 0, 0, 0, 9, 0, 0};
  for (int64_t i = 0; i < y.size(); ++i) CHECK(y.data<float>()[i] == expected[i]);

  const Tensor dx({1, 3, 3, 1});
  shortcut_a_backward({.dx = dx, .dy = y, .stride = 2}, context);
  const float kept[] = {1, 0, 3, 0, 0, 0, 7, 0, 9};
  for (int64_t i = 0; i < dx.size(); ++i) CHECK(dx.data<float>()[i] == kept[i]);
}

TEST_CASE("shortcut_a: shapes that disagree are refused") {
  Context context;
  const Tensor x({1, 4, 4, 8});
  CHECK_THROWS_WITH_AS(
      shortcut_a_forward({.y = Tensor({1, 2, 2, 4}), .x = x, .stride = 2}, context),
      "shortcut_a_forward: [1x4x4x8] at stride 2 does not give [1x2x2x4]", Error);
  CHECK_THROWS_AS(shortcut_a_forward({.y = Tensor({1, 2, 2, 8}), .x = x, .stride = 0}, context),
                  Error);
}
