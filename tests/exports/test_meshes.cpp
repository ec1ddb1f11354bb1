// Heights, OBJ and STL: what is written, and that the solid is one.
#include <algorithm>
#include <array>
#include <map>
#include <sstream>

#include "landscape/exports/obj.h"
#include "landscape/exports/stl.h"
#include "tests/exports/export_check.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;

namespace {

using Vertex = std::array<float, 3>;

struct Triangle {
  Vertex normal;
  std::array<Vertex, 3> corners;
};

std::vector<Triangle> triangles_of(const std::string& stl) {
  CHECK(stl.substr(0, 5) != "solid");
  const auto count = number_at<uint32_t>(stl, 80);
  REQUIRE(stl.size() == 84 + 50 * size_t{count});
  std::vector<Triangle> triangles;
  for (size_t i = 0; i < count; ++i) {
    const auto numbers = numbers_in<float>(stl.substr(84 + 50 * i, 48));
    Triangle& t = triangles.emplace_back();
    std::copy_n(numbers.begin(), 3, t.normal.begin());
    for (size_t k = 0; k < 3; ++k)
      std::copy_n(numbers.begin() + 3 + 3 * k, 3, t.corners[k].begin());
  }
  return triangles;
}

std::array<double, 3> cross(const Vertex& a, const Vertex& b, const Vertex& c) {
  const double ux = double{b[0]} - a[0], uy = double{b[1]} - a[1], uz = double{b[2]} - a[2];
  const double vx = double{c[0]} - a[0], vy = double{c[1]} - a[1], vz = double{c[2]} - a[2];
  return {uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx};
}

/// Every edge belongs to two triangles, which run along it in opposite directions, and every normal
/// is of unit length and that of its corners' order.
void check_watertight(const std::vector<Triangle>& triangles) {
  std::map<std::pair<Vertex, Vertex>, int> edges;
  for (const Triangle& t : triangles) {
    for (size_t k = 0; k < 3; ++k) ++edges[{t.corners[k], t.corners[(k + 1) % 3]}];
    const auto n = cross(t.corners[0], t.corners[1], t.corners[2]);
    const double length = std::hypot(n[0], n[1], n[2]);
    REQUIRE(length > 0);
    for (size_t k = 0; k < 3; ++k)
      CHECK(t.normal[k] == doctest::Approx(n[k] / length).epsilon(1e-6));
  }
  int wrong = 0;
  for (const auto& [edge, count] : edges) {
    const auto opposite = edges.find({edge.second, edge.first});
    if (count != 1 || opposite == edges.end() || opposite->second != 1) ++wrong;
  }
  CHECK(wrong == 0);
}

/// Inside the triangles, where they are a solid with normals outwards: by the divergence theorem.
double volume_of(const std::vector<Triangle>& triangles) {
  double six = 0;
  for (const Triangle& t : triangles) {
    const auto n = cross({0, 0, 0}, t.corners[1], t.corners[2]);
    for (size_t k = 0; k < 3; ++k) six += t.corners[0][k] * n[k];
  }
  return six / 6;
}

/// z = 2 x + 3 y over uneven axes: the height is the same on either diagonal of a cell.
Surface slope() {
  Surface surface({-1, -0.3, 0.4, 2}, {0.5, 1, 2});
  auto& z = surface.add_plane("train_loss");
  for (size_t i = 0; i < z.size(); ++i) z[i] = 2 * surface.x()[i % 4] + 3 * surface.y()[i / 4];
  return surface;
}

std::string error_in(const Surface& surface, const HeightOptions& options = {}) {
  return error_of([&] { height_field(surface, options); });
}

}  // namespace

TEST_CASE("heights: finite values alone have one; logarithms of what is above 0") {
  const HeightField field = height_field(with_holes(), {});
  CHECK(field.missing == 3);
  CHECK(field.low == 0.1);
  CHECK(field.high == 0.1 + 3 + 20);
  CHECK(field.name == "train_loss");
  CHECK(same_bits(heights_of({-1, 0, 0.01, 10, kNan, -kInfinity}, {"", true, {}}, "p"),
                  {-2, -2, -2, 1, kNan, kNan}));
  CHECK(same_bits(heights_of({-1, 5, 10}, {"", false, 7.0}, "p"), {-1, 5, 7}));
  // A clip below every value: all of them are at it.
  CHECK(same_bits(heights_of({1, 10}, {"", true, 0.1}, "p"), {-1, -1}));
  CHECK(height_field(lopsided(), {"", true, {}}).name == "log10(train_loss)");
}

TEST_CASE("heights: what cannot be a mesh says so") {
  Surface line({0, 1, 2});
  line.add_plane("train_loss");
  CHECK(error_in(line).find("1 x 3 points has no mesh") != std::string::npos);
  CHECK(error_in(Surface({0, 1}, {0, 1})).find("no values") != std::string::npos);
  CHECK(error_in(lopsided(), {"test_loss", false, {}}).find("train_acc, train_loss") !=
        std::string::npos);
  Surface nothing({0, 1}, {0, 1});
  nothing.add_plane("train_loss");
  CHECK(error_in(nothing).find("is finite") != std::string::npos);
  nothing.add_plane("train_loss") = {0, -1, 0, -2};
  CHECK(error_in(nothing, {"", true, {}}).find("leave out --log") != std::string::npos);
  CHECK(error_in(lopsided(), {"", true, -1.0}).find("--vmax -1") != std::string::npos);
}

TEST_CASE("stl: watertight, outward, of the size and volume that were asked for") {
  const std::string stl = stl_of(height_field(slope(), {}), {.width = 60, .height = 30, .base = 5});
  const auto triangles = triangles_of(stl);
  // 2 a cell on top, and 3 for each of the border's 10 edges: 2 of wall, 1 of base.
  CHECK(triangles.size() == 2 * 3 * 2 + 3 * 10);
  check_watertight(triangles);
  // x is 3 long and y 1.5: 60 x 30. The mean of a slope over its rectangle is that of its corners.
  CHECK(volume_of(triangles) == doctest::Approx(60 * 30 * (5 + 15)).epsilon(1e-6));
  Vertex low = triangles[0].corners[0], high = low;
  for (const Triangle& t : triangles)
    for (const Vertex& v : t.corners)
      for (size_t k = 0; k < 3; ++k) {
        low[k] = std::min(low[k], v[k]);
        high[k] = std::max(high[k], v[k]);
      }
  CHECK(low == Vertex{0, 0, 0});
  CHECK(high == Vertex{60, 30, 35});
}

TEST_CASE("stl: the heights are where x and y say") {
  const Surface surface = slope();
  const auto triangles =
      triangles_of(stl_of(height_field(surface, {}), {.width = 3, .height = 10.5, .base = 1}));
  int on_top = 0;  // the scale is 1: the slope's lowest and highest are 10.5 apart
  for (const Triangle& t : triangles)
    for (const Vertex& v : t.corners) {
      if (v[2] == 0) continue;
      CHECK(v[2] == doctest::Approx(1 + 2 * v[0] + 3 * v[1]).epsilon(1e-6));
      ++on_top;
    }
  CHECK(on_top == 36 + 3 * 10);
}

TEST_CASE("stl: axes that descend, heights that are not finite, flat surfaces, the smallest grid") {
  const ModelSize size{.width = 10, .height = 5, .base = 2};
  Surface descending({2, 0.4, -1}, {3, 1});
  descending.add_plane("train_loss") = {1, 2, 3, 4, 5, 6};
  auto triangles = triangles_of(stl_of(height_field(descending, {}), size));
  check_watertight(triangles);
  CHECK(volume_of(triangles) > 0);

  triangles = triangles_of(stl_of(height_field(with_holes(), {}), size));
  check_watertight(triangles);
  int at_the_top = 0;  // the points (3, 0), (0, 1), (1, 2) and the highest one itself, (3, 2)
  std::map<std::pair<float, float>, float> tops;
  for (const Triangle& t : triangles)
    for (const Vertex& v : t.corners)
      if (v[2] > 0) tops[{v[0], v[1]}] = v[2];
  for (const auto& [place, height] : tops) at_the_top += height == 7;
  CHECK(tops.size() == 12);
  CHECK(at_the_top == 4);

  Surface flat({0, 1}, {0, 1});
  flat.add_plane("train_loss") = {3, 3, 3, 3};
  triangles = triangles_of(stl_of(height_field(flat, {}), size));
  check_watertight(triangles);
  CHECK(volume_of(triangles) == doctest::Approx(10 * 10 * 2));
  CHECK(error_of([&] { stl_of(height_field(flat, {}), {.base = 0}); }).find("thicker") !=
        std::string::npos);
  Surface close({0, 1, 1 + 1e-12}, {0, 1});
  close.add_plane("train_loss") = {1, 2, 3, 4, 5, 6};
  CHECK(error_of([&] { stl_of(height_field(close, {}), size); }).find("too close") !=
        std::string::npos);
}

TEST_CASE("obj: vertices with colours and texture, y up, quadrilaterals that face up") {
  const std::string obj = obj_of(height_field(with_holes(), {}),
                                 {.width = 3, .height = 23, .base = 9}, {"key: value\nnext"});
  std::vector<std::array<double, 6>> v;
  std::vector<std::array<double, 2>> vt;
  std::vector<std::array<int, 4>> f;
  for (const std::string& line : lines_of(obj)) {
    std::istringstream in(line);
    std::string word;
    in >> word;
    if (word == "v")
      for (double& number : v.emplace_back()) in >> number;
    if (word == "vt")
      for (double& number : vt.emplace_back()) in >> number;
    if (word == "f")
      for (int& corner : f.emplace_back()) {
        int texture = 0;
        char slash = 0;
        in >> corner >> slash >> texture;
        CHECK(corner == texture);
      }
    CHECK(!in.fail());
  }
  CHECK(obj.starts_with("# key: value next\no train_loss\n"));
  // The two cells that are left have the six points (1, 0), (2, 0), (1, 1), (2, 1), (3, 1), (2, 2)
  // and (3, 2); the plane is 3 x 1, its middle the origin; the height's scale is 1.
  REQUIRE(v.size() == 7);
  CHECK(vt.size() == 7);
  CHECK(f == std::vector<std::array<int, 4>>{{1, 2, 4, 3}, {4, 5, 7, 6}});
  CHECK(v[0][0] == doctest::Approx(0.7 - 1.5));
  CHECK(v[0][1] == doctest::Approx(1));
  CHECK(v[0][2] == doctest::Approx(0.5));
  CHECK(v[6][0] == doctest::Approx(1.5));
  CHECK(v[6][1] == doctest::Approx(23));
  CHECK(v[6][2] == doctest::Approx(-0.5));
  CHECK(vt[0][0] == doctest::Approx(0.7 / 3).epsilon(1e-6));
  CHECK(vt[0][1] == doctest::Approx(0));
  CHECK(vt[6] == std::array<double, 2>{1, 1});
  CHECK(v[6][3] > 0.9);  // viridis ends in yellow, and begins in a dark blue
  CHECK(v[6][5] < 0.3);
  CHECK(v[0][3] < 0.4);
  for (const auto& quad : f) {  // y of the first corner's normal
    const auto &a = v[static_cast<size_t>(quad[0] - 1)], &b = v[static_cast<size_t>(quad[1] - 1)],
               &c = v[static_cast<size_t>(quad[2] - 1)];
    CHECK((b[2] - a[2]) * (c[0] - a[0]) - (b[0] - a[0]) * (c[2] - a[2]) > 0);
  }
}
