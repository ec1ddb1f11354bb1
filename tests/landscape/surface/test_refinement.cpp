// Coarse to fine: levels that hold those before them, and what an unfinished surface shows.
#include "landscape/surface/refinement.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

using namespace topograd;

TEST_CASE("refinement: a level has the ends, and all of the level before at half the spacing") {
  CHECK(Refinement::indices(1, 0) == std::vector<int64_t>{0});
  CHECK(Refinement::indices(2, 3) == std::vector<int64_t>{0, 1});
  CHECK(Refinement::indices(9, 0) == std::vector<int64_t>{0, 8});
  CHECK(Refinement::indices(9, 1) == std::vector<int64_t>{0, 4, 8});
  CHECK(Refinement::indices(9, 2) == std::vector<int64_t>{0, 2, 4, 6, 8});
  CHECK(Refinement::indices(51, 1) == std::vector<int64_t>{0, 25, 50});  // the middle: theta
  for (int64_t n : {1, 2, 3, 5, 6, 51, 64, 65, 100}) {
    CAPTURE(n);
    const int64_t levels = Refinement(n, 1).levels();
    for (int64_t level = 1; level < levels; ++level) {
      const auto coarse = Refinement::indices(n, level - 1), fine = Refinement::indices(n, level);
      CHECK(std::includes(fine.begin(), fine.end(), coarse.begin(), coarse.end()));
      const double step = static_cast<double>(n - 1) / std::ldexp(1.0, static_cast<int>(level));
      for (size_t i = 1; i < fine.size(); ++i)
        CHECK(std::abs(static_cast<double>(fine[i] - fine[i - 1]) - step) < 1);
    }
    CHECK(Refinement::indices(n, levels - 1).size() == static_cast<size_t>(n));
  }
}

TEST_CASE("refinement: the order has every point once, the corners first") {
  for (auto [nx, ny] : {std::pair<int64_t, int64_t>{5, 3}, {1, 1}, {7, 1}, {2, 9}, {51, 13}}) {
    auto order = Refinement(nx, ny).order();
    const std::set<int64_t> corners = {0, nx - 1, (ny - 1) * nx, ny * nx - 1};
    CHECK(std::set<int64_t>(order.begin(), order.begin() + static_cast<int64_t>(corners.size())) ==
          corners);
    std::sort(order.begin(), order.end());
    std::vector<int64_t> all(static_cast<size_t>(nx * ny));
    std::iota(all.begin(), all.end(), 0);
    CHECK(order == all);
  }
  CHECK(Refinement(3, 3).order() == std::vector<int64_t>{0, 2, 6, 8, 1, 3, 4, 5, 7});
}

TEST_CASE("refinement: a surface that was begun row by row is continued from coarse to fine") {
  Surface surface({0, 1, 2}, {10, 11, 12});
  for (int64_t point : {0, 1, 2, 3}) surface.mark_done(point);
  CHECK(points_to_do(surface) == std::vector<int64_t>{6, 8, 4, 5, 7});
  for (int64_t point : {4, 5, 6, 7, 8}) surface.mark_done(point);
  CHECK(points_to_do(surface).empty());
}

TEST_CASE("refinement: an unfinished surface shows its finest complete level") {
  Surface surface({0, 1, 2, 3, 4}, {10, 11, 12});
  surface.provenance["loss"] = "mse";
  for (int64_t i = 0; i < 15; ++i)
    surface.add_plane("train_loss")[static_cast<size_t>(i)] = 1.0 * i;
  CHECK(!finest_complete_level(surface));
  for (int64_t point : {0, 4, 10}) surface.mark_done(point);
  CHECK(!finest_complete_level(surface));
  surface.mark_done(14);
  surface.mark_done(6);  // of a finer level, which is not complete
  const auto corners = finest_complete_level(surface);
  REQUIRE(corners);
  CHECK(corners->x() == std::vector<double>{0, 4});
  CHECK(corners->y() == std::vector<double>{10, 12});
  CHECK(corners->plane("train_loss") == std::vector<double>{0, 4, 10, 14});
  CHECK(corners->provenance == surface.provenance);
  CHECK(corners->done_count() == 4);
  for (int64_t point : {2, 5, 7, 9, 12}) surface.mark_done(point);
  const auto next = finest_complete_level(surface);
  REQUIRE(next);
  CHECK(next->x() == std::vector<double>{0, 2, 4});
  CHECK(next->plane("train_loss") == std::vector<double>{0, 2, 4, 5, 7, 9, 10, 12, 14});
  for (int64_t point = 0; point < 15; ++point) surface.mark_done(point);
  CHECK(finest_complete_level(surface)->points() == 15);

  Surface line({0, 1, 2});
  line.add_plane("train_loss")[2] = 5;
  for (int64_t point : {0, 2}) line.mark_done(point);
  CHECK(finest_complete_level(line)->is_line());
  CHECK(finest_complete_level(line)->plane("train_loss")[1] == 5);
}
