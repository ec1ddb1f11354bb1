#include "landscape/exports/obj.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "kernels/core/check.h"
#include "landscape/figures/canvas/colour_map.h"

namespace topograd {

namespace {

/// Returns numbers with f32's precision, a space before each.
template <size_t N>
std::string numbers(const std::array<double, N>& values) {
  std::string line;
  for (double value : values) {
    std::array<char, 32> digits;
    std::snprintf(digits.data(), digits.size(), " %.9g", value);
    line += digits.data();
  }
  return line;
}

std::string vertex(const HeightField& field, const HeightField& model, int64_t point) {
  const int64_t ix = point % field.nx(), iy = point / field.nx();
  const double x = model.x[static_cast<size_t>(ix)], y = model.y[static_cast<size_t>(iy)];
  const double z = model.height(ix, iy);
  const double range = field.high - field.low;
  const Colour c =
      colour_at(ColourMap::viridis, range > 0 ? (field.height(ix, iy) - field.low) / range : 0);
  const std::string position =
      numbers<6>({x - model.x.back() / 2, z, model.y.back() / 2 - y, c.red, c.green, c.blue});
  return text("v", position, "\nvt", numbers<2>({x / model.x.back(), y / model.y.back()}), "\n");
}

}  // namespace

std::string obj_of(const HeightField& field, const ModelSize& size,
                   const std::vector<std::string>& comments) {
  const HeightField model = scaled_to(field, size);
  const auto quads = quads_of(field);
  std::vector<int64_t> number(static_cast<size_t>(field.points()), 0);  // from 1; 0: not used
  for (const auto& quad : quads)
    for (int64_t corner : quad) number[static_cast<size_t>(corner)] = 1;
  std::string obj;
  for (std::string comment : comments) {
    std::replace(comment.begin(), comment.end(), '\n', ' ');
    obj += "# " + comment + "\n";
  }
  obj += "o " + field.name + "\n";
  int64_t used = 0;
  for (int64_t point = 0; point < field.points(); ++point) {
    if (number[static_cast<size_t>(point)] == 0) continue;
    number[static_cast<size_t>(point)] = ++used;
    obj += vertex(field, model, point);
  }
  for (const auto& quad : quads) {
    obj += "f";
    for (int64_t corner : quad) {
      const int64_t n = number[static_cast<size_t>(corner)];
      obj += text(" ", n, "/", n);
    }
    obj += "\n";
  }
  return obj;
}

}  // namespace topograd
