// A panel's file, and the share of a surface that is not convex.
#include "landscape/sharpness/sharpness_results.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "kernels/core/numbers.h"
#include "landscape/surface/non_convex_share.h"
#include "tests/landscape/landscape_check.h"

using namespace topograd;
using namespace topograd::test;

namespace {

SharpnessPanel some_panel() {
  SharpnessPanel panel;
  panel.provenance = {{"model_hash", "abc"}, {"loss", "cross_entropy"}};
  panel.measures = {{"trace", {12.5, 0.25}, "60 products, seed 1"},
                    {"loss", {0.5, 0.01}, ""},
                    {"error", {0, 1.4, 0, 5.7}, "of 64"},
                    {"basin_width", {std::numeric_limits<double>::infinity(), kNaN}, "loss + 0.1"}};
  return panel;
}

Surface surface_of(const std::vector<double>& x, const std::vector<double>& y,
                   const std::function<double(double, double)>& value) {
  Surface surface(x, y);
  std::vector<double>& plane = surface.add_plane("train_loss");
  for (int64_t iy = 0; iy < surface.ny(); ++iy)
    for (int64_t ix = 0; ix < surface.nx(); ++ix) {
      plane[static_cast<size_t>(surface.index(ix, iy))] =
          value(x[static_cast<size_t>(ix)], y[static_cast<size_t>(iy)]);
      surface.mark_done(surface.index(ix, iy));
    }
  return surface;
}

const std::vector<double> kX{-1, -0.5, 0, 0.5, 1, 1.5}, kY{-2, -1, 0, 1, 2};

}  // namespace

TEST_CASE("sharpness panel: a file holds what was saved, to the byte") {
  const TemporaryFolder folder;
  SharpnessPanel panel = some_panel();
  panel.test = ReparametrisationTest{.description = "3 layers times 10",
                                     .largest_logit = 20,
                                     .largest_difference = 1e-5,
                                     .measures = {{"trace", {7, 1}, "60 products, seed 1"}},
                                     .slices = {{"filter", {-1, 0, 1}, {3, 1, 2}, {3, 1, 2.5}}},
                                     .slice_seed = 18'446'744'073'709'551'615u};
  panel.save(folder.file("a.h5"));
  const SharpnessPanel read = SharpnessPanel::load(folder.file("a.h5"));
  CHECK(read.provenance.at("model_hash") == "abc");
  REQUIRE(read.measures.size() == 4);
  CHECK(read.find("error")->estimate.low == 0);
  CHECK(read.find("error")->estimate.high == 5.7);
  CHECK(std::isnan(read.find("trace")->estimate.high));
  CHECK(read.test->slice_seed == 18'446'744'073'709'551'615u);
  CHECK(read.find("trace")->estimate.value == 12.5);
  CHECK(read.find("trace")->estimate.standard_error == 0.25);
  CHECK(read.find("trace")->settings == "60 products, seed 1");
  CHECK(std::isinf(read.find("basin_width")->estimate.value));
  CHECK(std::isnan(read.find("basin_width")->estimate.standard_error));
  CHECK(read.find("sam") == nullptr);
  REQUIRE(read.test);
  CHECK(read.test->largest_difference == 1e-5);
  CHECK(SharpnessPanel::find_measure(read.test->measures, "trace")->estimate.value == 7);
  CHECK(read.test->slices.at(0).largest_difference() == 0.5);
  read.save(folder.file("b.h5"));
  CHECK(contents(folder.file("a.h5")) == contents(folder.file("b.h5")));
}

TEST_CASE("sharpness panel: other files are none") {
  const TemporaryFolder folder;
  some_panel().save(folder.file("a.h5"));
  Surface({0, 1}).save(folder.file("surface.h5"));
  write_contents(folder.file("text.h5"), "no HDF5");
  CHECK(SharpnessPanel::is_panel(folder.file("a.h5")));
  for (const char* other : {"surface.h5", "text.h5", "absent.h5"}) {
    CHECK(!SharpnessPanel::is_panel(folder.file(other)));
    CHECK_THROWS_AS(SharpnessPanel::load(folder.file(other)), Error);
  }
}

TEST_CASE("sharpness panel: a measure is replaced by its namesake") {
  SharpnessPanel panel = some_panel();
  SharpnessPanel::put(panel.measures, {"loss", {0.75, 0.02}, ""});
  CHECK(panel.measures.size() == 4);
  CHECK(panel.find("loss")->estimate.value == 0.75);
}

TEST_CASE("sharpness panel: a slice with what is no number has no largest difference") {
  const RescaledSlice slice{"filter", {0, 1, 2}, {1, 1, 1}, {5, kNaN, 2}};
  CHECK(std::isnan(slice.largest_difference()));
}

TEST_CASE("surface: a bowl is convex, a hill and a saddle are not") {
  const auto share = [](const std::function<double(double, double)>& f) {
    const NonConvexShare found = non_convex_share(surface_of(kX, kY, f), "train_loss");
    CHECK(found.points == 4 * 3);
    return found.share;
  };
  CHECK(share([](double x, double y) { return x * x + 0.1 * y * y; }) == 0);
  CHECK(share([](double x, double y) { return -x * x - y * y; }) == 1);
  CHECK(share([](double x, double y) { return x * x - 0.1 * y * y; }) == 1);
  // A saddle along the diagonals: only the mixed derivative tells.
  CHECK(share([](double x, double y) { return x * x + y * y + 1.9 * x * y; }) == 0);
  CHECK(share([](double x, double y) { return x * x + y * y + 2.1 * x * y; }) == 1);
  // x^3: convex where x > 0, one column of the four at -0.5, none at 0 (the eigenvalue is 0).
  CHECK(share([](double x, double) { return x * x * x; }) == doctest::Approx(0.25));
}

TEST_CASE("surface: uneven spacing has the same curvature") {
  const std::vector<double> x{-1, -0.9, 0, 2, 2.5}, y{0, 0.1, 1, 5};
  const auto share = [&](double c) {
    return non_convex_share(
               surface_of(x, y,
                          [c](double a, double b) { return a * a + b * b + c * a * b + 7 * a; }),
               "train_loss")
        .share;
  };
  CHECK(share(1.99) == 0);
  CHECK(share(2.01) == 1);
}

TEST_CASE(
    "surface: points that are not done, or not finite, are not judged, nor their neighbours") {
  const auto bowl = [](double x, double y) { return x * x + y * y; };
  Surface partly(kX, kY);
  partly.add_plane("train_loss") = surface_of(kX, kY, bowl).plane("train_loss");
  for (int64_t point = 0; point < partly.points(); ++point)
    if (point != partly.index(0, 0)) partly.mark_done(point);
  CHECK(non_convex_share(partly, "train_loss").points == 11);
  const Surface broken =
      surface_of(kX, kY, [&](double x, double y) { return x == 0 && y == 0 ? kNaN : bowl(x, y); });
  CHECK(non_convex_share(broken, "train_loss").points == 3);
  CHECK(std::isnan(non_convex_share(surface_of({0, 1}, {0, 1}, bowl), "train_loss").share));
  CHECK_THROWS_AS(non_convex_share(Surface({0, 1, 2}), "train_loss"), Error);
}
