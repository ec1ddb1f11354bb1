// Two records side by side: numbers that were worked out by hand.
#include "landscape/results/record_comparison.h"

#include <doctest/doctest.h>

#include <cmath>

#include "kernels/core/check.h"
#include "kernels/core/numbers.h"
#include "landscape/surface/surface_results.h"

using namespace topograd;

namespace {

std::vector<ArrayComparison> compare_surfaces(const Surface& a, const Surface& b) {
  return compare_records(record_of(a), record_of(b));
}

Surface surface_with(const std::vector<double>& loss, const std::vector<double>& error) {
  Surface surface({0, 1}, {0, 1, 2});
  surface.add_plane("train_loss") = loss;
  if (!error.empty()) surface.add_plane("train_loss_se") = error;
  for (int64_t i = 0; i < 6; ++i) surface.mark_done(i);
  return surface;
}

}  // namespace

TEST_CASE("comparison: summaries, largest differences, correlation") {
  const Surface a = surface_with({1, 2, 3, 4, 0, 8}, {0.3, 0.3, 0.3, 0.3, 0.3, 0.3});
  const Surface b = surface_with({1, 2, 4, 4, 0.5, 6}, {0.4, 0.4, 0.4, 0.4, 0, 4});
  const auto found = compare_surfaces(a, b);
  REQUIRE(found.size() == 2);
  const ArrayComparison& loss = found[0];
  CHECK(loss.name == "train_loss");
  CHECK(loss.points == 6);
  CHECK(loss.a.min == 0);
  CHECK(loss.b.max == 6);
  CHECK(loss.a.mean == 3);
  CHECK(loss.b.mean == doctest::Approx(17.5 / 6));
  CHECK(loss.absolute.value == 2);
  CHECK(loss.absolute.point == 5);
  CHECK(loss.relative.value == doctest::Approx(1.0 / 3));  // where a is 0 there is none
  CHECK(loss.relative.point == 2);
  REQUIRE(loss.errors);
  CHECK(loss.errors->value == doctest::Approx(2));  // 1 / 0.5 at 2; 0.5 / 0.3 at 4
  CHECK(loss.errors->point == 2);
  // Sums of products of deviations: 40, 22.2083, 28.5.
  CHECK(loss.correlation == doctest::Approx(28.5 / std::sqrt(40 * 22.208333)).epsilon(1e-6));
  CHECK(found[1].name == "train_loss_se");
  CHECK(!found[1].errors);
  CHECK(std::isnan(found[1].correlation));  // a is flat
  CHECK(compare_surfaces(a, a)[0].correlation == doctest::Approx(1));
  CHECK(compare_surfaces(a, a)[0].absolute.value == 0);
}

TEST_CASE("comparison: only points that are done and finite in both count") {
  Surface a = surface_with({1, kInfinity, 3, 4, 5, 6}, {});
  Surface b({0, 1}, {0, 1, 2});
  b.add_plane("train_loss") = {1, 2, 3, NAN, 5.5, 100};
  for (int64_t i = 0; i < 5; ++i) b.mark_done(i);
  const auto found = compare_surfaces(a, b);
  REQUIRE(found.size() == 1);
  CHECK(found[0].points == 3);
  CHECK(found[0].not_finite == 2);
  CHECK(found[0].absolute.value == 0.5);
  CHECK(found[0].absolute.point == 4);
  const auto none = compare_surfaces(a, [] {
    Surface empty({0, 1}, {0, 1, 2});
    empty.add_plane("train_loss");
    return empty;
  }());
  CHECK(none[0].points == 0);
  CHECK(none[0].absolute.point == -1);
  CHECK(std::isnan(none[0].a.mean));
  CHECK_THROWS_AS(compare_surfaces(a, Surface({0, 1}, {0, 1, 3})), Error);
}

TEST_CASE("comparison: records without a table, by what both have at the same places") {
  Record a{"gap", ""}, b{"gap", ""};
  a.add_number("gap", 2).error = "gap_error";
  b.add_number("gap", 5).error = "gap_error";
  a.add_number("gap_error", 0.3);
  b.add_number("gap_error", 0.4);
  for (Record* record : {&a, &b}) record->add_series("at", "at", {0, record == &a ? 1.0 : 2.0});
  for (Record* record : {&a, &b}) record->add_series("density", "at", {1, 2});
  for (Record* record : {&a, &b}) record->add_series("values", "rank", {3, 4});
  a.add_number("only here", 1);
  const auto found = compare_records(a, b);
  REQUIRE(found.size() == 3);
  CHECK(found[0].name == "gap");
  CHECK(found[0].absolute.value == 3);
  REQUIRE(found[0].errors);
  CHECK(found[0].errors->value == doctest::Approx(6));
  CHECK(found[1].name == "gap_error");
  CHECK(found[2].name == "values");
  a.table = {"at"};
  b.table = {"at"};
  CHECK_THROWS_AS(compare_records(a, b), Error);
}
