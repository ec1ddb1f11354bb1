// Axes and values of any finite size can be drawn.
#include "landscape/figures/units.h"

#include <doctest/doctest.h>

#include <cmath>
#include <utility>

#include "landscape/figures/canvas/svg_canvas.h"

using namespace topograd;
using namespace topograd::drawing;

namespace {

/// Whether no coordinate is NaN or infinite; letters of a picture in base64 do not count.
bool has_numbers_alone(const std::string& svg) {
  for (const char* before : {" ", "\"", "(", "-"})
    for (const char* what : {"nan", "inf"})
      if (svg.find(std::string(before) + what) != svg.npos) return false;
  return true;
}

}  // namespace

TEST_CASE("units: only numbers that cannot be drawn as they are have one") {
  CHECK(unit_of({-1, 0, 1}).exponent == 0);
  CHECK(unit_of({1e-99, 1e100}).exponent == 0);
  CHECK(unit_of({3e-120}).exponent == 0);  // one number has no span to be too small
  CHECK(unit_of({}).exponent == 0);
  CHECK(unit_of({-1e308, 1e308}).exponent == 308);
  CHECK(unit_of({0, 5e-324, 1e-323}).exponent == -324);
  CHECK(unit_of({0, NAN, 2e307, INFINITY}).exponent == 307);
}

TEST_CASE("units: numbers are divided by it, and labels name it") {
  for (const double number : {5e-324, 1.7e308, -1e308, 3e-310}) {
    const Unit unit = unit_of({0, number});
    CAPTURE(number);
    CHECK(std::abs(unit.of(number)) >= 0.5);
    CHECK(std::abs(unit.of(number)) < 10.5);
  }
  CHECK(Unit{308}.labelled("loss") == "loss (×10³⁰⁸)");
  CHECK(Unit{-323}.labelled("") == "×10⁻³²³");
  CHECK(Unit{}.labelled("loss") == "loss");
}

TEST_CASE("units: every figure of extreme axes, values and ends of the scale is drawn") {
  const std::pair<double, double> extremes[] = {{1e308, 1},      {1, 1e308},      {1e307, 1e-323},
                                                {1e-323, 1e101}, {1e-310, 1e308}, {1e101, 1e-101}};
  for (const auto& [axis, value] : extremes) {
    const FieldView field{
        .x = {-axis, 0, axis}, .y = {-axis, axis}, .values = {value, 0, -value, 0, value, NAN}};
    FigureOptions options{.x_label = "alpha", .value_label = "loss", .clip_max = value / 2};
    options.width = 400, options.height = 300;
    options.marks.path = {{-axis, -axis}, {0, 0}};
    options.marks.networks = {{{axis, axis}, "B"}};
    for (const auto figure_of : {contour_figure, heat_map_figure, surface_figure}) {
      const Figure figure = figure_of(field, options);
      const std::string svg = svg_text(figure.width, figure.height, "", figure.draw);
      CHECK(has_numbers_alone(svg));
      CHECK(svg.size() < 2'000'000);
    }
    const Figure curve = curve_figure(
        {.x = field.x,
         .series = {{.name = "a", .values = {value, 0, -value}, .errors = {value / 9, 0, 0}}}},
        options);
    const std::string svg = svg_text(curve.width, curve.height, "", curve.draw);
    CHECK(has_numbers_alone(svg));
  }
}
