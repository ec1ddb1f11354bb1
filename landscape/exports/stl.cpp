#include "landscape/exports/stl.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>

#include "kernels/core/check.h"

namespace topograd {

namespace {

static_assert(std::endian::native == std::endian::little,
              "numbers are written as they lie in memory");

using Vertex = std::array<float, 3>;

/// Vertices of the solid, each computed once, so that an edge's two triangles have the same bits.
class Solid {
 public:
  Solid(const HeightField& field, double base) : field_(field), base_(base) {}

  Vertex top(int64_t ix, int64_t iy) const {
    const double z = field_.height(ix, iy);
    return at(ix, iy, base_ + (std::isfinite(z) ? z : field_.high));
  }
  Vertex bottom(int64_t ix, int64_t iy) const { return at(ix, iy, 0); }
  Vertex centre() const {
    return {static_cast<float>(field_.x.back() / 2), static_cast<float>(field_.y.back() / 2), 0};
  }

 private:
  Vertex at(int64_t ix, int64_t iy, double z) const {
    return {static_cast<float>(field_.x[static_cast<size_t>(ix)]),
            static_cast<float>(field_.y[static_cast<size_t>(iy)]), static_cast<float>(z)};
  }
  const HeightField& field_;
  double base_;
};

/// Returns the unit normal by the right-hand rule, in double; 0 for a triangle without area.
std::array<float, 3> normal(const Vertex& a, const Vertex& b, const Vertex& c) {
  std::array<double, 3> u, v;
  for (size_t k = 0; k < 3; ++k) {
    u[k] = static_cast<double>(b[k]) - a[k];
    v[k] = static_cast<double>(c[k]) - a[k];
  }
  const std::array<double, 3> n = {u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2],
                                   u[0] * v[1] - u[1] * v[0]};
  const double length = std::hypot(n[0], n[1], n[2]);
  std::array<float, 3> unit{};
  for (size_t k = 0; k < 3 && length > 0; ++k) unit[k] = static_cast<float>(n[k] / length);
  return unit;
}

class Triangles {
 public:
  void add(const Vertex& a, const Vertex& b, const Vertex& c) {
    for (const Vertex& three : {normal(a, b, c), a, b, c})
      bytes_.append(reinterpret_cast<const char*>(three.data()), sizeof three);
    bytes_.append(2, '\0');  // no attributes
    ++count_;
  }
  std::string file() const {
    std::string header = "Topograd: binary STL, millimetres";  // must not begin with "solid"
    header.resize(80, ' ');
    header.append(reinterpret_cast<const char*>(&count_), sizeof count_);
    return header + bytes_;
  }

 private:
  std::string bytes_;
  uint32_t count_ = 0;
};

void require_distinct(const std::vector<double>& axis) {
  for (size_t i = 1; i < axis.size(); ++i)
    require(static_cast<float>(axis[i - 1]) < static_cast<float>(axis[i]),
            "points of the surface lie too close together for stl, which has single precision");
}

/// Returns the grid's outermost points once around, counter-clockwise seen from above.
std::vector<std::array<int64_t, 2>> border(int64_t nx, int64_t ny) {
  std::vector<std::array<int64_t, 2>> points;
  for (int64_t ix = 0; ix + 1 < nx; ++ix) points.push_back({ix, 0});
  for (int64_t iy = 0; iy + 1 < ny; ++iy) points.push_back({nx - 1, iy});
  for (int64_t ix = nx - 1; ix > 0; --ix) points.push_back({ix, ny - 1});
  for (int64_t iy = ny - 1; iy > 0; --iy) points.push_back({0, iy});
  return points;
}

}  // namespace

std::string stl_of(const HeightField& field, const ModelSize& size) {
  require(size.base > 0, "the solid's base has to be thicker than 0, it is ", size.base);
  require(field.points() < 500'000'000, "stl holds at most 2^32 triangles");
  const HeightField model = scaled_to(field, size);
  require_distinct(model.x);
  require_distinct(model.y);
  const Solid solid(model, size.base);
  Triangles triangles;
  for (int64_t iy = 0; iy + 1 < model.ny(); ++iy)
    for (int64_t ix = 0; ix + 1 < model.nx(); ++ix) {
      const Vertex a = solid.top(ix, iy), c = solid.top(ix + 1, iy + 1);
      triangles.add(a, solid.top(ix + 1, iy), c);
      triangles.add(a, c, solid.top(ix, iy + 1));
    }
  const auto around = border(model.nx(), model.ny());
  for (size_t i = 0; i < around.size(); ++i) {
    const auto [ax, ay] = around[i];
    const auto [bx, by] = around[(i + 1) % around.size()];
    const Vertex below = solid.bottom(ax, ay), above = solid.top(bx, by);
    triangles.add(below, solid.bottom(bx, by), above);
    triangles.add(below, above, solid.top(ax, ay));
    triangles.add(solid.bottom(bx, by), below, solid.centre());
  }
  return triangles.file();
}

}  // namespace topograd
