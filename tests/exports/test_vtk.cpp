// VTK's XML, read back by a reader of the few elements there are; VTK's own reads it in
// tests/end_to_end, where it is installed.
#include "landscape/exports/vtk.h"

#include <array>

#include "tests/exports/export_check.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;

namespace {

std::string from_base64(const std::string& digits) {
  REQUIRE(digits.size() % 4 == 0);
  std::string bytes;
  uint32_t bits = 0;
  int known = 0;
  for (char c : digits) {
    if (c == '=') break;
    const std::string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    REQUIRE(alphabet.find(c) != std::string::npos);
    bits = bits << 6 | static_cast<uint32_t>(alphabet.find(c));
    known += 6;
    if (known < 8) continue;
    known -= 8;
    bytes += static_cast<char>(bits >> known & 0xFF);
  }
  return bytes;
}

/// A DataArray's numbers, by its name.
template <class T>
std::vector<T> data_of(const std::string& file, const std::string& name, const std::string& type) {
  const size_t found = file.find(text("<DataArray type=\"", type, "\" Name=\"", name, "\""));
  REQUIRE_MESSAGE(found != std::string::npos, name);
  const size_t begin = file.find('>', found) + 1;
  const std::string bytes = from_base64(file.substr(begin, file.find('<', begin) - begin));
  CHECK(number_at<uint64_t>(bytes, 0) == bytes.size() - 8);
  return numbers_in<T>(bytes.substr(8));
}

std::vector<double> reals(const std::string& file, const std::string& name) {
  return data_of<double>(file, name, "Float64");
}

/// The value of the first attribute of this name.
std::string attribute(const std::string& file, const std::string& name) {
  const size_t begin = file.find(" " + name + "=\"");
  REQUIRE_MESSAGE(begin != std::string::npos, name);
  const size_t value = begin + name.size() + 3;
  return file.substr(value, file.find('"', value) - value);
}

std::vector<double> without_infinity(std::vector<double> values) {
  for (double& v : values)
    if (std::isinf(v)) v = kNan;
  return values;
}

/// lopsided() and with_holes() with even axes.
Surface evened(const Surface& surface) {
  Surface even({-1, -0.5, 0, 0.5}, {0.5, 1.25, 2});
  for (const auto& [name, values] : surface.planes()) even.add_plane(name) = values;
  for (int64_t i = 0; i < even.points(); ++i)
    if (surface.done(i)) even.mark_done(i);
  return even;
}

}  // namespace

TEST_CASE("vti: extent, origin and spacing of x and y, planes with x fastest") {
  const Surface surface = evened(with_holes());
  const std::string file = vtk_image(surface);
  CHECK(attribute(file, "type") == "ImageData");
  CHECK(attribute(file, "WholeExtent") == "0 3 0 2 0 0");
  CHECK(attribute(file, "Extent") == "0 3 0 2 0 0");
  CHECK(attribute(file, "Origin") == "-1 0.5 0");
  CHECK(attribute(file, "Spacing") == "0.5 0.75 1");
  CHECK(attribute(file, "Scalars") == "train_loss");
  CHECK(same_bits(reals(file, "train_loss"), without_infinity(surface.plane("train_loss"))));
  CHECK(same_bits(reals(file, "train_acc"), surface.plane("train_acc")));
  CHECK(data_of<uint8_t>(file, "done", "UInt8") ==
        std::vector<uint8_t>{1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1});
}

TEST_CASE("vti is for even axes, vtr for any") {
  CHECK(error_of([] { vtk_image(lopsided()); }).find("choose vtr") != std::string::npos);
  CHECK(is_even({0, 1.0 / 3, 2.0 / 3, 1}));
  CHECK(is_even({0.25}));
  CHECK_FALSE(is_even({0, 0.3334, 0.6667, 1}));
  const Surface surface = lopsided();
  const std::string file = vtk_rectilinear(surface);
  CHECK(attribute(file, "type") == "RectilinearGrid");
  CHECK(attribute(file, "Extent") == "0 3 0 2 0 0");
  CHECK(same_bits(reals(file, "x"), surface.x()));
  CHECK(same_bits(reals(file, "y"), surface.y()));
  CHECK(reals(file, "z") == std::vector<double>{0});
  CHECK(same_bits(reals(file, "train_loss"), surface.plane("train_loss")));
}

TEST_CASE("vtk: axes that descend are turned round, with what lies on them") {
  Surface surface({2, 1, 0}, {7, 5});
  surface.add_plane("train_loss") = {20, 10, 0, 22, 12, 2};
  surface.mark_done(0);
  const std::string file = vtk_rectilinear(surface);
  CHECK(reals(file, "x") == std::vector<double>{0, 1, 2});
  CHECK(reals(file, "y") == std::vector<double>{5, 7});
  CHECK(reals(file, "train_loss") == std::vector<double>{2, 12, 22, 0, 10, 20});
  CHECK(data_of<uint8_t>(file, "done", "UInt8") == std::vector<uint8_t>{0, 0, 0, 0, 0, 1});
  Surface twice({0, 1, 1}, {0, 1});
  twice.add_plane("train_loss");
  CHECK(error_of([&] { vtk_rectilinear(twice); }).find("x = 1") != std::string::npos);
}

TEST_CASE("vtp: a point for each, a quadrilateral for each cell of four finite heights") {
  const Surface surface = with_holes();
  const std::string file = vtk_surface(surface, {});
  CHECK(attribute(file, "NumberOfPoints") == "12");
  const std::vector<double> points = reals(file, "Points"), z = reals(file, "zvalue");
  REQUIRE(points.size() == 36);
  for (size_t i = 0; i < 12; ++i) {
    CHECK(points[3 * i] == surface.x()[i % 4]);
    CHECK(points[3 * i + 1] == surface.y()[i / 4]);
    const double loss = surface.plane("train_loss")[i];
    CHECK(points[3 * i + 2] == (std::isfinite(loss) ? loss : 0.1 + 3 + 20));
    CHECK(same_bits({z[i]}, without_infinity({loss})));
  }
  // Cells with a hole: of 3 x 2, (0, 0) and (0, 1) have the NaN at (0, 1), (2, 0) the infinity at
  // (3, 0), (0, 1) and (1, 1) the point to do at (1, 2).
  CHECK(attribute(file, "NumberOfPolys") == "2");
  CHECK(data_of<int64_t>(file, "connectivity", "Int64") ==
        std::vector<int64_t>{1, 2, 6, 5, 6, 7, 11, 10});
  CHECK(data_of<int64_t>(file, "offsets", "Int64") == std::vector<int64_t>{4, 8});
}

TEST_CASE("vtp: another plane, clipped, logarithmic, stretched") {
  const Surface surface = lopsided();
  HeightOptions options{"train_acc", false, 50.0};
  CHECK(reals(vtk_surface(surface, options), "zvalue")[0] == 50);
  CHECK(reals(vtk_surface(surface, options), "train_acc")[0] == 99);
  CHECK(attribute(vtk_surface(surface, options), "Scalars") == "train_acc");
  options = {"", true, 10.0};
  const std::vector<double> z = reals(vtk_surface(surface, options), "zvalue");
  CHECK(z[0] == std::log10(0.1));
  CHECK(z[7] == 1);
  const std::vector<double> stretched = reals(vtk_surface(surface, options, 6.0), "Points");
  CHECK(stretched[2] == 0);
  CHECK(stretched[3 * 7 + 2] == 6);
  CHECK(stretched[3 * 1 + 2] == doctest::Approx((std::log10(1.1) + 1) / 2 * 6));
}

TEST_CASE("vtk: odd names and provenance are escaped") {
  Surface surface({0, 1}, {0, 1});
  surface.add_plane("a<b> & \"c\"") = {1, 2, 3, 4};
  surface.provenance["k"] = "\xC3\xA9<";
  const std::string file = vtk_image(surface);
  CHECK(reals(file, "a&lt;b&gt; &amp; &quot;c&quot;") == std::vector<double>{1, 2, 3, 4});
  std::string codes;
  for (char c : std::string("{\"k\":\"\\u00e9<\"}")) codes += std::to_string(int{c}) + " ";
  CHECK(file.find(">" + codes + "0<") != std::string::npos);
}

TEST_CASE("vtp: a trajectory is lines at the projections' heights, broken where there is none") {
  TrajectoryResults results({0, 1, 2, 3, 4, 5});
  results.coordinates = {.x = {6, 5, 4, 3, 2, 0},
                         .y = {1, -1, 2, -2, 3, 0},
                         .distance = {1, 1, 1, 1, 1, 0},
                         .length = {7, 6, 5, 4, 3, 0}};
  results.own.add_plane("train_loss") = {2, 2, 2, 2, 2, 1};
  results.projected.add_plane("train_loss") = {9, 8, kNan, 6, 4, 1};
  for (int64_t e : {0, 1, 3, 4, 5}) results.projected.mark_done(e);
  const std::string file = vtk_trajectory(results, {});
  CHECK(attribute(file, "NumberOfPoints") == "6");
  CHECK(attribute(file, "NumberOfLines") == "2");
  CHECK(attribute(file, "NumberOfPolys") == "0");
  CHECK(data_of<int64_t>(file, "connectivity", "Int64") == std::vector<int64_t>{0, 1, 3, 4, 5});
  CHECK(data_of<int64_t>(file, "offsets", "Int64") == std::vector<int64_t>{2, 5});
  const std::vector<double> points = reals(file, "Points");
  CHECK(points == std::vector<double>{6, 1, 9, 5, -1, 8, 4, 2, 9, 3, -2, 6, 2, 3, 4, 0, 0, 1});
  CHECK(reals(file, "epoch") == results.epochs);
  CHECK(reals(file, "length") == results.coordinates.length);
  CHECK(reals(file, "train_loss") == results.own.plane("train_loss"));
  CHECK(data_of<uint8_t>(file, "projected_done", "UInt8") ==
        std::vector<uint8_t>{1, 1, 0, 1, 1, 1});
}
