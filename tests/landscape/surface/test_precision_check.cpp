#include "landscape/surface/precision_check.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

using namespace topograd;

namespace {

Surface filled(double (*f)(double, double)) {
  Surface surface({-1, -0.5, 0, 0.5, 1}, {-2, 0, 2});
  std::vector<double>& values = surface.add_plane("train_loss");
  for (int64_t iy = 0; iy < 3; ++iy)
    for (int64_t ix = 0; ix < 5; ++ix)
      values[static_cast<size_t>(surface.index(ix, iy))] =
          f(surface.x()[static_cast<size_t>(ix)], surface.y()[static_cast<size_t>(iy)]);
  return surface;
}

}  // namespace

TEST_CASE("precision check: the centre, the corners, the steepest point and some others") {
  // Steepest between x = 0.5 and 1 in the row y = 0.
  const Surface surface =
      filled([](double x, double y) { return y == 0 && x == 1 ? 100.0 : x + y; });
  const std::vector<int64_t> fixed = points_to_check(surface, "train_loss", 0);
  CHECK(fixed == std::vector<int64_t>{0, 4, 7, 8, 10, 14});
  const std::vector<int64_t> more = points_to_check(surface, "train_loss");
  CHECK(more.size() > fixed.size());
  CHECK(std::includes(more.begin(), more.end(), fixed.begin(), fixed.end()));
  Surface line({0, 1});
  line.add_plane("train_loss") = {std::nan(""), 1};
  CHECK(points_to_check(line, "train_loss") == std::vector<int64_t>{0, 1});
}

TEST_CASE("precision check: largest and median difference, and where") {
  const Surface a = filled([](double x, double y) { return x * y; });
  Surface b = a;
  b.add_plane("train_loss")[4] += 0.25;
  b.add_plane("train_loss")[7] -= 0.125;
  b.add_plane("train_loss")[8] += 0.0625;
  const PrecisionCheck check = compare_at({0, 4, 7, 8, 14}, a, b, "train_loss");
  CHECK(check.points == 5);
  CHECK(check.largest == 0.25);
  CHECK(check.median == 0.0625);
  CHECK(check.describe(a, "train_loss") ==
        "5 points again in f32: train_loss differs by up to 0.25, at (1, -2), by 0.0625 in the "
        "median");
}

TEST_CASE("precision check: what is not finite differs unless it is the same") {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::nan("");
  const auto largest = [](double a, double b) {
    Surface one({0}), other({0});
    one.add_plane("train_loss") = {a};
    other.add_plane("train_loss") = {b};
    return compare_at({0}, one, other, "train_loss").largest;
  };
  CHECK(largest(nan, nan) == 0);
  CHECK(largest(inf, inf) == 0);
  CHECK(largest(inf, -inf) == inf);
  CHECK(largest(nan, 1) == inf);
  CHECK(largest(1, inf) == inf);
}
