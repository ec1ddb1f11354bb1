// The surface in three dimensions: its curves, its light, its camera, its picture.
#include <cairo.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>
#include <set>

#include "kernels/core/numbers.h"
#include "landscape/figures/canvas/cairo_canvas.h"
#include "landscape/figures/canvas/text_boxes.h"
#include "landscape/figures/figure.h"
#include "landscape/figures/fine_field.h"
#include "landscape/figures/relief/camera.h"
#include "landscape/figures/relief/relief.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::drawing;
using namespace topograd::test;

namespace {

std::vector<double> even(double low, double high, int count) {
  std::vector<double> points;
  for (int i = 0; i < count; ++i) points.push_back(low + (high - low) * i / (count - 1));
  return points;
}

HeightField level_ground() {
  HeightField field{even(0, 1, 41), even(0, 1, 31), {}, {}};
  field.z.assign(field.x.size() * field.y.size(), 0);
  field.fraction = field.z;
  return field;
}

/// The colour of a figure at a px of its page.
Colour colour_of(const Figure& figure, double x, double y) {
  const Pixels pixels = painted(figure.width, figure.height, 1, figure.draw);
  const uint32_t p =
      pixels.values[static_cast<size_t>(std::lround(y)) * static_cast<size_t>(pixels.width) +
                    static_cast<size_t>(std::lround(x))];
  return {(p >> 16 & 255) / 255.0, (p >> 8 & 255) / 255.0, (p & 255) / 255.0, 1};
}

double difference(const Colour& a, const Colour& b) {
  return std::max(
      {std::abs(a.red - b.red), std::abs(a.green - b.green), std::abs(a.blue - b.blue)});
}

}  // namespace

TEST_CASE("monotone cubic: through its points, exact for lines, never beyond its neighbours") {
  const std::vector<double> x = {0, 1, 1.5, 4, 5}, y = {2, 2, 7, 7.5, 1};
  CHECK(monotone_cubic(x, y, x) == y);
  const std::vector<double> fine = even(0, 5, 501);
  const std::vector<double> curve = monotone_cubic(x, y, fine);
  for (size_t i = 0; i < fine.size(); ++i)
    for (size_t k = 0; k + 1 < x.size(); ++k)
      if (fine[i] >= x[k] && fine[i] <= x[k + 1]) {
        CHECK(curve[i] >= std::min(y[k], y[k + 1]) - 1e-12);
        CHECK(curve[i] <= std::max(y[k], y[k + 1]) + 1e-12);
      }
  for (double at : {0.3, 1.2, 3.9})
    CHECK(monotone_cubic(x, {1, 3, 4, 9, 11}, {at})[0] == doctest::Approx(1 + 2 * at));
}

TEST_CASE("monotone cubic: what is no number stays in its own intervals") {
  const std::vector<double> curve =
      monotone_cubic({0, 1, 2, 3, 4}, {1, 2, kNaN, 3, 4}, {0.5, 1, 1.5, 2.5, 3, 3.5});
  CHECK(curve[0] == doctest::Approx(1.5));
  CHECK(curve[1] == 2);
  CHECK(std::isnan(curve[2]));
  CHECK(std::isnan(curve[3]));
  CHECK(curve[4] == 3);
  CHECK(curve[5] == doctest::Approx(3.5));
}

TEST_CASE("light: level ground in the open has 1") {
  const Lit light = lit(level_ground(), {.azimuth = 0.4, .elevation = 0.7}, {0, 0, 1});
  for (double brightness : light.brightness) CHECK(brightness == doctest::Approx(1));
}

TEST_CASE("light: a wall throws a shadow away from the sun, and takes skylight on both sides") {
  HeightField field = level_ground();
  for (size_t row = 0; row < field.y.size(); ++row)
    for (size_t column : {20, 21}) field.z[field.at(row, column)] = 0.3;  // at x = 0.5
  const Lit light = lit(field, {.azimuth = 0, .elevation = std::numbers::pi / 4}, {0, 0, 1});
  const double lee = light.brightness[field.at(15, 14)];  // the sun stands in the east
  const double luv = light.brightness[field.at(15, 27)];
  const double far_away = light.brightness[field.at(15, 0)];
  CHECK(lee < 0.5);
  CHECK(luv > 0.8);
  CHECK(luv < 0.99);
  CHECK(far_away > 0.9);
  const Lit other =
      lit(field, {.azimuth = std::numbers::pi, .elevation = std::numbers::pi / 4}, {0, 0, 1});
  CHECK(other.brightness[field.at(15, 27)] < 0.5);
  CHECK(other.brightness[field.at(15, 14)] > 0.8);
}

TEST_CASE("light: slopes that face the sun are brighter; holes have none") {
  HeightField field = level_ground();
  for (size_t row = 0; row < field.y.size(); ++row)
    for (size_t column = 0; column < field.x.size(); ++column)
      field.z[field.at(row, column)] = 0.4 * std::abs(field.y[row] - 0.5);  // a valley along x
  field.z[field.at(3, 3)] = kNaN;
  const Lit light =
      lit(field, {.azimuth = std::numbers::pi / 2, .elevation = 0.8}, {0, 0, 1});  // from the north
  CHECK(light.brightness[field.at(5, 20)] > 1.1);  // the southern slope falls to the north
  CHECK(light.brightness[field.at(25, 20)] < 0.9);
  CHECK(light.brightness[field.at(3, 3)] == 0);
}

TEST_CASE("camera: the whole box is in its area, and near is near") {
  const Rect area{100, 50, 300, 200};
  for (double azimuth : {-2.0, -0.6, 0.0, 0.6, 2.5})
    for (double elevation : {0.1, 0.7, 1.5}) {
      const Camera camera({0, 0, 0}, {1, 0.8, 0.5}, azimuth, elevation, area);
      double least_x = 1e9, most_x = 0, least_y = 1e9, most_y = 0;
      for (int corner = 0; corner < 8; ++corner) {
        const Point p =
            camera.see({corner & 1 ? 1.0 : 0, corner & 2 ? 0.8 : 0, corner & 4 ? 0.5 : 0}).at;
        least_x = std::min(least_x, p.x), most_x = std::max(most_x, p.x);
        least_y = std::min(least_y, p.y), most_y = std::max(most_y, p.y);
      }
      CHECK(least_x >= area.left - 1e-9);
      CHECK(most_x <= area.right() + 1e-9);
      CHECK(least_y >= area.top - 1e-9);
      CHECK(most_y <= area.bottom() + 1e-9);
      const bool fills = most_x - least_x > 299.9 || most_y - least_y > 199.9;
      CHECK(fills);
    }
  const Camera camera({0, 0, 0}, {1, 1, 0.5}, 0, 0.6, area);
  CHECK(camera.see({1, 0, 0}).at.x > camera.see({0, 0, 0}).at.x);
  CHECK(camera.see({0, 1, 0}).at.y < camera.see({0, 0, 0}).at.y);  // away is up on the page
  CHECK(camera.see({0, 0, 0.5}).at.y < camera.see({0, 0, 0}).at.y);
  CHECK(camera.see({0, 0, 0}).depth < camera.see({0, 1, 0}).depth);
}

TEST_CASE("depth buffer: the nearer triangle is seen, whichever comes first; seams have no gaps") {
  const auto corner = [](double x, double y, double depth, double fraction) {
    return DepthBuffer::Corner{x, y, depth, fraction, 1, 0};
  };
  for (bool near_first : {false, true}) {
    DepthBuffer buffer(8, 8);
    const auto near_triangle = [&] {
      buffer.add({corner(0, 0, 1, 0.25), corner(8, 0, 1, 0.25), corner(0, 8, 1, 0.25)});
    };
    if (near_first) near_triangle();
    buffer.add({corner(0, 0, 2, 0), corner(8, 0, 2, 0.8), corner(8, 8, 2, 0.8)});
    buffer.add({corner(0, 0, 2, 0), corner(8, 8, 2, 0.8), corner(0, 8, 2, 0)});
    if (!near_first) near_triangle();
    CHECK(buffer.at(1, 1).fraction == doctest::Approx(0.25));
    CHECK(buffer.at(7, 7).fraction == doctest::Approx(0.75));  // x + 0.5 over 8 times 0.8
    CHECK(buffer.at(6, 4).fraction == doctest::Approx(0.65));
    for (int row = 0; row < 8; ++row)
      for (int column = 0; column < 8; ++column) CHECK(std::isfinite(buffer.at(column, row).depth));
  }
}

TEST_CASE("surface figure: seen from above, colours are where their values are") {
  // 0 on the left, 1 in front on the right, 5 (off the scale) behind on the right.
  FieldView field{even(-1, 1, 9), even(-1, 1, 9), {}};
  for (double y : field.y)
    for (double x : field.x) field.values.push_back(x < 0.1 ? 0 : y < 0.1 ? 1 : 5);
  FigureOptions options{.level_max = 1.0};
  options.azimuth = 0;
  options.elevation = 90;
  const Figure figure = surface_figure(field, options);
  // The relief's middle is the page's area's; far from edges and marks.
  const double x = 0.5 * (66 + 700 - 66 - 30 - 17 - 84 + 40), y = 270;
  CHECK(difference(colour_of(figure, x - 120, y + 90), colour_at(ColourMap::viridis, 0)) < 0.15);
  CHECK(difference(colour_of(figure, x - 120, y - 90), colour_at(ColourMap::viridis, 0)) < 0.15);
  CHECK(difference(colour_of(figure, x + 120, y + 90), colour_at(ColourMap::viridis, 1)) < 0.15);
  CHECK(difference(colour_of(figure, x + 120, y - 90), off_scale(ColourMap::viridis)) < 0.15);
}

namespace {

/// A plain with a ridge between (0, 0) and whoever looks along y.
FieldView ridge() {
  FieldView field{even(-1, 1, 21), even(-1, 1, 21), {}};
  for (double y : field.y)
    for (size_t i = 0; i < field.x.size(); ++i)
      field.values.push_back(y > -0.65 && y < -0.3 ? 9 : 1);
  return field;
}

std::vector<TextBox> texts_of(const Figure& figure) {
  TextBoxes canvas;
  figure.draw(canvas);
  return canvas.boxes();
}

bool any_text(const std::vector<TextBox>& texts, const std::string& part) {
  return std::any_of(texts.begin(), texts.end(),
                     [&](const TextBox& box) { return box.words.find(part) != std::string::npos; });
}

}  // namespace

TEST_CASE("surface figure: a star behind a ridge is hollow, and said to be behind") {
  const auto texts = [](double elevation) {
    FigureOptions options;
    options.azimuth = 0;
    options.elevation = elevation;
    return texts_of(surface_figure(ridge(), options));
  };
  CHECK(any_text(texts(80), "θ*"));
  CHECK(!any_text(texts(80), "behind the surface"));
  CHECK(any_text(texts(8), "θ* and minimum: 1 (behind the surface)"));
}

TEST_CASE("surface figure: by default the camera rises until the star is seen; not in films") {
  FigureOptions options;
  options.azimuth = 0;
  options.relief = 0.2;  // a low ridge, which 38 degrees do not look over
  CHECK(!any_text(texts_of(surface_figure(ridge(), options)), "behind the surface"));
  options.film_frame = true;
  CHECK(any_text(texts_of(surface_figure(ridge(), options)), "behind the surface"));
  CHECK(surface_figure(ridge(), options).height == 600);
}

TEST_CASE("surface figure: numbers at the height axis, a page no higher than what is on it") {
  FieldView bowl{even(-1, 1, 21), even(-1, 1, 21), {}};
  for (double y : bowl.y)
    for (double x : bowl.x) bowl.values.push_back(x * x + y * y);
  const FigureOptions options{.title = "bowl", .x_label = "alpha", .y_label = "beta"};
  const Figure figure = surface_figure(bowl, options);
  const std::vector<TextBox> texts = texts_of(figure);
  // Values on the left of the relief as beside the colour bar; the axes' own there are negative.
  const auto values = [&](bool left) {
    std::set<std::string> found;
    for (const TextBox& box : texts)
      if (std::atof(box.words.c_str()) > 0 &&
          (left ? box.corners[1].x < 110 : box.corners[0].x > 590))
        found.insert(box.words);
    return found;
  };
  const std::set<std::string> height = values(true), bar = values(false);
  CHECK(height.size() >= 4);
  CHECK(std::includes(bar.begin(), bar.end(), height.begin(), height.end()));
  // Both axes have all of their numbers, those at the corner in front too.
  for (const char* number : {"−1.0", "−0.5"})
    CHECK(std::count_if(texts.begin(), texts.end(),
                        [&](const TextBox& box) { return box.words == number; }) == 2);
  double lowest = 0, caption = 0;
  for (const TextBox& box : texts) {
    if (box.words.find("θ*") != std::string::npos)
      caption = box.corners[0].y;
    else
      lowest = std::max(lowest, box.corners[2].y);
  }
  CHECK(caption > lowest);
  CHECK(caption < lowest + 30);
  CHECK(figure.height - caption < 30);
}

TEST_CASE("surface figure: holes, constants and cameras out of range") {
  const FieldView holes{{0, 1, 2}, {0, 1}, {1, kNaN, 3, 4, 5, 6}};
  CHECK(surface_figure(holes, {}).width == 700);
  const FieldView all_holes{{0, 1}, {0, 1}, {kNaN, kNaN, kNaN, kNaN}};
  const TemporaryFolder folder;
  save_figure(surface_figure(all_holes, {}), folder.file("holes.png"));
  save_figure(surface_figure({{0, 1}, {0, 1}, {2, 2, 2, 2}}, {}), folder.file("flat.pdf"));
  CHECK(folder.read("flat.pdf").starts_with("%PDF"));
  FigureOptions low;
  low.elevation = 2;
  CHECK_THROWS_WITH_AS(surface_figure(holes, low), "an elevation of 2 degrees: choose 5 to 90",
                       Error);
  FigureOptions flat;
  flat.relief = 0;
  CHECK_THROWS_AS(surface_figure(holes, flat), Error);
}
