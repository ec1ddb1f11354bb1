// The figures, by their pixels.
#include <cairo.h>
#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <memory>

#include "kernels/core/numbers.h"
#include "landscape/figures/canvas/canvas.h"
#include "landscape/figures/canvas/markup.h"
#include "landscape/figures/canvas/svg_canvas.h"
#include "landscape/figures/figure.h"
#include "landscape/figures/frame.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;

namespace {

/// A PNG read back. Pixels are addressed in px of the page: half of the file's.
class Picture {
 public:
  explicit Picture(const std::string& path)
      : surface_(cairo_image_surface_create_from_png(path.c_str()), cairo_surface_destroy) {
    REQUIRE(cairo_surface_status(surface_.get()) == CAIRO_STATUS_SUCCESS);
  }
  int width() const { return cairo_image_surface_get_width(surface_.get()); }
  int height() const { return cairo_image_surface_get_height(surface_.get()); }

  Colour at(PlanePoint p) const {
    const unsigned char* pixel =
        cairo_image_surface_get_data(surface_.get()) +
        std::lround(2 * p.y) * cairo_image_surface_get_stride(surface_.get()) +
        4 * std::lround(2 * p.x);
    return {pixel[2] / 255.0, pixel[1] / 255.0, pixel[0] / 255.0, 1};
  }
  /// Whether nothing is drawn within `width` px of the picture's edges.
  bool white_border(double width) const {
    const double right = this->width() / 2.0, bottom = height() / 2.0;
    for (double y = 0; y < bottom - 0.5; y += 0.5)
      for (double x = 0; x < right - 0.5; x += 0.5) {
        const bool border = x < width || y < width || x > right - width || y > bottom - width;
        if (border && at({x, y}).green < 0.99) return false;
      }
    return true;
  }

 private:
  std::unique_ptr<cairo_surface_t, decltype(&cairo_surface_destroy)> surface_;
};

double difference(const Colour& a, const Colour& b) {
  return std::max(
      {std::abs(a.red - b.red), std::abs(a.green - b.green), std::abs(a.blue - b.blue)});
}
bool grey(const Colour& c) {
  return std::abs(c.red - c.blue) <= 0.03 && c.red < 0.95;
}

/// Not symmetric, not square, not even: a transposed or mirrored picture differs everywhere.
FieldView ramp() {
  return {{-1, 0, 3}, {-2, 1}, {1, 2, 3, 4, 5, 6}};
}

constexpr double kRounding = 2.0 / 255;

}  // namespace

TEST_CASE("colour maps: at the published tables' entries, lightness rising, nowhere nearly black") {
  struct Known {
    ColourMap map;
    double colours[5][3];  // of the entries 0, 64, 128, 192, 255 of 256
    double apart;
  };
  const Known all[] = {
      {ColourMap::viridis,
       {{68, 1, 84}, {59, 82, 139}, {33, 145, 140}, {94, 201, 98}, {253, 231, 37}},
       2},
      {ColourMap::magma,
       {{0, 0, 4}, {81, 18, 124}, {183, 55, 121}, {252, 137, 97}, {252, 253, 191}},
       2},
      {ColourMap::cividis,
       {{0, 34, 78}, {67, 78, 108}, {125, 124, 120}, {188, 174, 108}, {254, 232, 56}},
       6},
      {ColourMap::plasma,
       {{13, 8, 135}, {126, 3, 168}, {204, 71, 120}, {248, 149, 64}, {240, 249, 33}},
       2},
  };
  const double entries[] = {0, 64, 128, 192, 255};
  for (const std::string& name : colour_map_names()) {
    CAPTURE(name);
    const ColourMap map = colour_map_named(name);
    CHECK(lightness(colour_at(map, 0)) >= 15);
    for (int i = 0; i < 256; ++i)
      CHECK(difference(colour_at(map, i / 255.0), off_scale(map)) > 0.1);
  }
  for (const Known& known : all) {
    for (size_t i = 0; i < 5; ++i) {
      const auto& [red, green, blue] = known.colours[i];
      const Colour expected{red / 255, green / 255, blue / 255, 1};
      // The dark end of the table is left out.
      const double begin = darkest(known.map), place = entries[i] / 255;
      if (place < begin) continue;
      CHECK(difference(colour_at(known.map, (place - begin) / (1 - begin)), expected) <=
            known.apart / 255);
    }
    double last = -1;
    for (int i = 0; i < 256; ++i) {
      const Colour c = colour_at(known.map, i / 255.0);
      CHECK(lightness(c) > last);
      last = lightness(c);
    }
    CHECK(difference(colour_at(known.map, -3), colour_at(known.map, 0)) == 0);
    CHECK(difference(colour_at(known.map, 7), colour_at(known.map, 1)) == 0);
  }
  CHECK(colour_map_named("magma") == ColourMap::magma);
  CHECK_THROWS_WITH_AS(
      colour_map_named("jet"),
      "unknown colours 'jet': choose viridis, magma, plasma, cividis, greys, coolwarm", Error);
}

TEST_CASE("colour maps: the middle of one that diverges stands for 0") {
  const auto at = [](std::vector<double> values, double value) {
    const drawing::ValueScale scale(values, {.colours = ColourMap::coolwarm});
    return scale.fraction(value);
  };
  CHECK(at({-1, 5}, 0) == doctest::Approx(0.5));
  CHECK(at({-7, 5}, 0) == doctest::Approx(0.5));
  CHECK(at({1, 5}, 3) == doctest::Approx(0.5));
  const Colour middle = colour_at(ColourMap::coolwarm, 0.5);
  for (const double end : {0.0, 1.0})
    CHECK(lightness(colour_at(ColourMap::coolwarm, end)) < lightness(middle) - 30);
  double last = 0;
  for (int i = 0; i < 256; ++i) {
    const Colour grey = colour_at(ColourMap::greys, i / 255.0);
    CHECK(grey.red == grey.blue);
    CHECK(lightness(grey) > last);
    last = lightness(grey);
  }
}

TEST_CASE("figure: numbers as a reader writes them") {
  using drawing::format_number;
  CHECK(format_number(0) == "0");
  CHECK(format_number(0.25) == "0.25");
  CHECK(format_number(-1.5) == "−1.5");
  CHECK(format_number(12345) == "12345");
  CHECK(format_number(5e-5) == "5×10⁻⁵");
  CHECK(format_number(1e12) == "10¹²");
  CHECK(format_number(-1e12) == "−10¹²");
  CHECK(format_number(0.00055170849, 4) == "0.0005517");
  CHECK(format_number(kInfinity) == "∞");
  CHECK(format_number(kNaN) == "NaN");
  CHECK(drawing::format_ticks({-1, -0.5, 0, 0.5}) ==
        std::vector<std::string>{"−1.0", "−0.5", "0.0", "0.5"});
  CHECK(drawing::format_ticks({0, 1e-7}) == std::vector<std::string>{"0", "10⁻⁷"});
}

TEST_CASE("figure: every cell of a heat map has its value's colour at its place") {
  TemporaryFolder folder;
  save_figure(heat_map_figure(ramp(), {.title = "ramp"}), folder.file("heat.png"));
  const Picture picture(folder.file("heat.png"));
  CHECK(picture.width() == 1400);
  // Cells reach half a step beyond the outer points.
  const auto frame = drawing::field_layout({.title = "ramp"}, -1.5, 4.5, -3.5, 2.5).frame;
  const FieldView field = ramp();
  for (size_t row = 0; row < 2; ++row)
    for (size_t column = 0; column < 3; ++column) {
      CAPTURE(row);
      CAPTURE(column);
      // Away from the point itself, where a mark may be.
      const Colour got = picture.at(frame.at(field.x[column] + 0.3, field.y[row] + 0.7));
      CHECK(difference(got, colour_at(ColourMap::viridis, (field.at(row, column) - 1) / 5)) <=
            kRounding);
    }
}

TEST_CASE("figure: a bilinear heat map is exact for a plane") {
  TemporaryFolder folder;
  const FigureOptions options{.title = "plane", .interpolate = true};
  save_figure(heat_map_figure(ramp(), options), folder.file("heat.png"));
  const Picture picture(folder.file("heat.png"));
  const auto frame = drawing::field_layout(options, -1, 3, -2, 1).frame;
  // Along y the field is linear: 3 over the whole range, on top of the row's values.
  for (double y : {-1.9, -1.0, 0.1, 0.9}) {
    CAPTURE(y);
    const double value = 2.5 + (y + 2);  // at x = 1.5, half way between 2 and 3
    CHECK(difference(picture.at(frame.at(1.5, y)),
                     colour_at(ColourMap::viridis, (value - 1) / 5)) <= 3 * kRounding);
  }
}

TEST_CASE("figure: contours fill the right side, clip, and hatch what is no number") {
  TemporaryFolder folder;
  FieldView field{{0, 1, 2, 3, 4, 5}, {0, 1, 2}, {}};
  for (double y : field.y)
    for (double x : field.x) field.values.push_back(y < 2 && x == 5 ? kInfinity : x + 0.1 * y);
  const FigureOptions options{.clip_max = 3.0};
  save_figure(contour_figure(field, options), folder.file("contours.png"));
  const Picture picture(folder.file("contours.png"));
  const auto frame = drawing::field_layout(options, 0, 5, 0, 2).frame;
  double last = 0;
  for (double x : {0.55, 1.3, 2.1, 2.6}) {  // bands grow lighter to the right
    CHECK(picture.at(frame.at(x, 1.3)).green > last);
    last = picture.at(frame.at(x, 1.3)).green;
  }
  CHECK(difference(picture.at(frame.at(3.5, 1.3)), off_scale(ColourMap::viridis)) <= kRounding);
  CHECK(grey(picture.at(frame.at(4.6, 0.4))));
  CHECK(grey(picture.at(frame.at(4.3, 1.8))));

  save_figure(heat_map_figure(field, options), folder.file("heat.png"));
  const Picture heat(folder.file("heat.png"));
  const auto cells = drawing::field_layout(options, -0.5, 5.5, -0.5, 2.5).frame;
  CHECK(difference(heat.at(cells.at(4.1, 1.1)), off_scale(ColourMap::viridis)) <= kRounding);
  CHECK(difference(heat.at(cells.at(2.1, 1.1)), colour_at(ColourMap::viridis, 2.1 / 3)) <=
        kRounding);
  CHECK(grey(heat.at(cells.at(5.2, 0.2))));
  CHECK(!grey(heat.at(cells.at(5.2, 2.2))));
}

TEST_CASE("figure: two figures with one scale give a value one colour") {
  TemporaryFolder folder;
  FigureOptions options{.scale = Scale::log, .level_min = 0.01, .level_max = 100.0};
  FieldView low{{0, 1, 2}, {0, 1}, {0.02, 0.5, 1, 0.02, 0.5, 1}};
  FieldView high{{0, 1, 2}, {0, 1}, {0.001, 0.5, 1e4, 0, 0.5, -3}};
  save_figure(heat_map_figure(low, options), folder.file("low.png"));
  save_figure(heat_map_figure(high, options), folder.file("high.png"));
  const auto frame = drawing::field_layout(options, -0.5, 2.5, -0.5, 1.5).frame;
  const Picture a(folder.file("low.png")), b(folder.file("high.png"));
  CHECK(difference(a.at(frame.at(1.2, 0.7)), b.at(frame.at(1.2, 0.7))) == 0);
  CHECK(difference(b.at(frame.at(0.2, 0.7)), colour_at(ColourMap::viridis, 0)) <= kRounding);
  CHECK(difference(b.at(frame.at(0.2, 1.3)), colour_at(ColourMap::viridis, 0)) <=
        kRounding);  // 0 has no logarithm
  CHECK(difference(b.at(frame.at(2.2, 0.3)), off_scale(ColourMap::viridis)) <= kRounding);
}

TEST_CASE("figure: long texts are shortened, nothing is cut off") {
  TemporaryFolder folder;
  const std::string words = "θ* of a network with a very long name and a longer history; ";
  std::string longer;
  for (int i = 0; i < 10; ++i) longer += words;
  FigureOptions options{.title = longer,
                        .subtitle = longer,
                        .x_label = longer,
                        .y_label = longer,
                        .value_label = longer,
                        .footer = longer};
  FieldView field{{-1, 0, 1}, {-1, 0, 1}, {-1e9, 2e-9, 3, kNaN, 5, 6, 7, 8, 1e9}};
  save_figure(contour_figure(field, options), folder.file("contours.png"));
  CHECK(Picture(folder.file("contours.png")).white_border(4));
  options.clip_max = 5;
  options.width = 400;
  save_figure(heat_map_figure(field, options), folder.file("heat.png"));
  CHECK(Picture(folder.file("heat.png")).white_border(3));
  FieldView flat{{-1, 0, 2, 5}, {0, 2.5}, {1, 2, 3, 4, 5, 6, 7, 8}};
  save_figure(heat_map_figure(flat, options), folder.file("flat.png"));
  CHECK(Picture(folder.file("flat.png")).height() < 2 * options.height);
  const CurveView curves{
      .x = {-1, 0, 1},
      .series = {{.name = "train", .values = {1e9, 2, 3}, .errors = {1, 1, 1}},
                 {.name = "test", .values = {1, 2, kInfinity}, .style = Series::Style::dashed},
                 {.name = "accuracy", .values = {0, 100, 10}, .axis = Series::Axis::right},
                 {.name = "test accuracy",
                  .values = {0, 90, 10},
                  .axis = Series::Axis::right,
                  .style = Series::Style::dashed}}};
  options.width = 700;
  save_figure(curve_figure(curves, options), folder.file("curves.png"));
  CHECK(Picture(folder.file("curves.png")).white_border(4));
}

TEST_CASE("figure: fields without a number, without a range, or beyond the clip give a picture") {
  TemporaryFolder folder;
  for (Scale scale : {Scale::linear, Scale::log})
    for (double value : {kNaN, 0.3, 1e-300, 1e200}) {
      const FieldView field{{-1, 1}, {-1, 0, 1}, std::vector<double>(6, value)};
      for (const std::optional<double>& clip : {std::optional<double>{}, std::optional(0.1)}) {
        const FigureOptions options{.scale = scale, .clip_max = clip};
        save_figure(contour_figure(field, options), folder.file("contours.svg"));
        save_figure(heat_map_figure(field, options), folder.file("heat.png"));
        save_figure(curve_figure({.x = {0, 1}, .series = {{"loss", {value, value}}}}, options),
                    folder.file("curve.svg"));
      }
    }
  const FieldView none{{-1, 1}, {-1, 1}, {kNaN, kNaN, kNaN, kNaN}};
  save_figure(contour_figure(none, {}), folder.file("none.png"));
  const auto frame = drawing::field_layout({}, -1, 1, -1, 1).frame;
  CHECK(grey(Picture(folder.file("none.png")).at(frame.at(-0.5, 0.4))));
}

TEST_CASE("figure: a curve lies where its values are, on either axis") {
  TemporaryFolder folder;
  const CurveView curves{.x = {0, 1, 2, 3, 4}, .series = {{"loss", {1, 1, 1, kNaN, 1}}}};
  const FigureOptions options{.level_min = 0.0, .level_max = 2.0};
  save_figure(curve_figure(curves, options), folder.file("curve.png"));
  const Picture picture(folder.file("curve.png"));
  const double middle = 0.5 * (drawing::plot_top(options) + drawing::plot_bottom(options));
  const auto blue = [&](double x) {  // plot: 76 px on the left, 24 on the right
    const Colour c = picture.at({76 + (options.width - 100) * x / 4, middle});
    return c.blue > c.red + 0.2;
  };
  CHECK(blue(0.5));
  CHECK(blue(1.5));
  CHECK(!blue(2.5));  // beside the gap
  CHECK(!blue(3.5));
}

TEST_CASE("curves: the single curves behind a mean are drawn, faintly, and within the axis") {
  const TemporaryFolder folder;
  CurveView curves{.x = {0, 1}, .series = {{"loss", {1, 3}}}};
  const auto blue_pixels = [&](double least_tint) {
    save_figure(curve_figure(curves, {}), folder.file("curves.png"));
    const Picture picture(folder.file("curves.png"));
    int count = 0;
    for (double y = 100; y < 480; y += 0.5) {
      const Colour c = picture.at({350, y});
      count += c.blue - c.red > least_tint;
    }
    return count;
  };
  const int strong = blue_pixels(0.4), all = blue_pixels(0.05);
  CHECK(strong > 0);
  curves.series[0].singles = {{1.3, 1.3}, {2.7, 2.7}};
  CHECK(blue_pixels(0.4) == strong);
  CHECK(blue_pixels(0.05) >= all + 2);
  curves.series[0].singles = {{2}};
  CHECK_THROWS_WITH_AS(save_figure(curve_figure(curves, {}), folder.file("curves.png")),
                       "the curve loss has 1 values of a single curve for 2 points", Error);
}

TEST_CASE("curves: further ones have colours of their own, on the same axis") {
  const TemporaryFolder folder;
  const auto coloured = [](const char* name, const std::vector<double>& values) {
    return Series{.name = name, .values = values, .style = Series::Style::coloured};
  };
  const auto colours = [&](const CurveView& curves) {
    save_figure(curve_figure(curves, {}), folder.file("curves.png"));
    const Picture picture(folder.file("curves.png"));
    std::vector<double> heights;  // of what is drawn in orange and in green, in one column
    for (const Colour& wanted : {Colour{0.85, 0.45, 0.05}, Colour{0.12, 0.52, 0.29}})
      for (double y = 20; y < 520; y += 0.5)
        if (difference(picture.at({300, y}), wanted) < 0.05) {
          heights.push_back(y);
          break;
        }
    return heights;
  };
  const std::vector<double> both =
      colours({.x = {0, 1}, .series = {coloured("high", {3, 3}), coloured("low", {1, 1})}});
  REQUIRE(both.size() == 2);
  CHECK(both[0] < both[1] - 50);
  CHECK(colours({.x = {0, 1}, .series = {{"loss", {1, 3}}}}).empty());
  CHECK_THROWS_WITH_AS(
      save_figure(curve_figure({.x = {0, 1}, .series = {coloured("short", {2})}}, {}),
                  folder.file("curves.png")),
      "the curve short has 1 values for 2 points", Error);
}

TEST_CASE("figure: SVG holds the picture, and the old file survives a failure") {
  TemporaryFolder folder;
  save_figure(contour_figure(ramp(), {.title = "ramp"}), folder.file("figure.svg"));
  const std::string svg = folder.read("figure.svg");
  CHECK(svg.find("width=\"700\"") != std::string::npos);
  CHECK(svg.find("</svg>") != std::string::npos);
  CHECK_THROWS_AS(save_figure(contour_figure(ramp(), {.width = 10}), folder.file("figure.svg")),
                  Error);
  CHECK(folder.read("figure.svg") == svg);
  CHECK(folder.files() == 1);
}

TEST_CASE("figure: text in SVG is text, and cannot break out of it") {
  const std::string svg = drawing::svg_text(500, 400, "a & b", [](drawing::Canvas& canvas) {
    canvas.text({100, 50}, "loss < \"1\" & more\x01", {.size = 12, .align = 0});
  });
  CHECK(svg.find("<title>a &amp; b</title>") != std::string::npos);
  CHECK(svg.find(">loss &lt; &quot;1&quot; &amp; more </text>") != std::string::npos);
  CHECK(svg.find("translate(100 50)") != std::string::npos);
}

TEST_CASE("figure: a page of several has each at its place") {
  TemporaryFolder folder;
  const auto filled = [](int width, int height, const Colour& colour) {
    return Figure{width, height, "one", [=](drawing::Canvas& canvas) {
                    const double w = width, h = height;
                    canvas.fill({drawing::Rect{0, 0, w, h}.outline()}, colour);
                  }};
  };
  const Colour red{1, 0, 0}, green{0, 1, 0}, blue{0, 0, 1};
  const Figure page =
      side_by_side({filled(400, 300, red), filled(500, 200, green), filled(300, 100, blue)}, 2);
  CHECK(page.width == 900);
  CHECK(page.height == 400);
  save_figure(page, folder.file("page.png"));
  const Picture picture(folder.file("page.png"));
  CHECK(difference(picture.at({399, 299}), red) == 0);
  CHECK(difference(picture.at({401, 1}), green) == 0);
  CHECK(difference(picture.at({401, 201}), {1, 1, 1}) == 0);
  CHECK(difference(picture.at({1, 301}), blue) == 0);
}

TEST_CASE("base64: the RFC's examples") {
  CHECK(base64("") == "");
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("foobar") == "Zm9vYmFy");
  CHECK(base64("\xff\xfe") == "//4=");
}

TEST_CASE("figure: what cannot be drawn is refused in words") {
  TemporaryFolder folder;
  const std::string path = folder.file("figure.png");
  CHECK(error_of([&] { save_figure(heat_map_figure(ramp(), {}), "figure.gif"); }) ==
        "cannot tell the format of figure 'figure.gif': end its name in .svg, .pdf, .png, .eps or "
        ".tex");
  for (const char* name : {"missing/figure.png", "missing/figure.svg"}) {
    const std::string error =
        error_of([&] { save_figure(contour_figure(ramp(), {}), folder.file(name)); });
    CHECK(error.find("cannot write " + folder.file(name)) == 0);
    CHECK(error.find('\n') == std::string::npos);
  }
  CHECK(
      error_of([&] {
        save_figure(heat_map_figure({{0, 1, 2}, {0}, {1, 2, 3}}, {}), path);
      }) ==
      "a field to draw needs at least 2 coordinates in y, got 1: draw a line of points as curves");
  const FieldView negative{{0, 1}, {0, 1}, {-1, -2, 0, -3}};
  CHECK(error_of([&] {
          save_figure(contour_figure(negative, {.title = "t", .scale = Scale::log}), path);
        }) == "no value of 't' is above 0: choose the linear scale");
  CHECK(error_of([&] {
          save_figure(contour_figure(ramp(), {.title = "t", .level_min = 3.0, .level_max = 2.0}),
                      path);
        }) == "the scale of 't' runs from 3 to 2: swap them");
  CHECK(error_of([&] {
          save_figure(contour_figure(ramp(), {.title = "t", .scale = Scale::log, .clip_max = 0.0}),
                      path);
        }) == "a scale of 't' cannot end at 0: it is logarithmic");
  CHECK(error_of([&] { save_figure(curve_figure({.x = {0}}, {}), path); }) ==
        "curves need at least 2 points, got 1");
  CHECK(error_of([&] {
          save_figure(curve_figure({.x = {0, 1}, .series = {{"loss", {1}}}}, {}), path);
        }) == "the curve loss has 1 values for 2 points");
  CHECK(error_of([&] {
          save_figure(curve_figure({.x = {0, 1}, .series = {{"loss", {1, 2}, {3}}}}, {}), path);
        }) == "the curve loss has 1 errors for 2 points");
  CHECK(error_of([&] {
          save_figure(curve_figure({.x = {0, 0}}, {}), path);
        }) == "the x of curves must be finite and increase, but x[1] is 0");
  CHECK(folder.files() == 0);
}

TEST_CASE("figure: a training's path, its start and other networks lie where they belong") {
  TemporaryFolder folder;
  FigureOptions options{.title = "path", .note = "a line more"};
  options.marks.path = {{-0.8, -1.5}, {kNaN, 0}, {2, 0.5}, {2.5, -1}};
  options.marks.epochs = {"0", "1", "2", "3"};
  options.marks.rate_drops = {2};
  options.marks.networks = {{{0, 0}, "a"}, {{1.5, -1.5}, "b"}};
  const auto frame = drawing::field_layout(options, -1, 3, -2, 1).frame;
  const Colour path{0.78, 0.11, 0.22, 1};
  for (const bool contours : {true, false}) {
    const std::string file = folder.file("path.png");
    FigureOptions shown = options;
    shown.interpolate = true;  // the same frame
    contours ? save_figure(contour_figure(ramp(), shown), file)
             : save_figure(heat_map_figure(ramp(), shown), file);
    const Picture picture(file);
    CHECK(difference(picture.at(frame.at(2.25, -0.25)), path) <= 4 * kRounding);
    CHECK(difference(picture.at(frame.at(0.6, -0.5)), path) <= 4 * kRounding);
    CHECK(difference(picture.at(frame.at(2.5, -1)), path) <= 4 * kRounding);
    // A ring, a triangle, a dot.
    CHECK(difference(picture.at(frame.at(-0.8, -1.5)), {1, 1, 1, 1}) <= kRounding);
    CHECK(difference(picture.at(frame.at(2, 0.5)), {0.10, 0.22, 0.60, 1}) <= kRounding);
    CHECK(difference(picture.at(frame.at(1.5, -1.5)), drawing::kInk) <= kRounding);
    CHECK(picture.white_border(6));
  }
}
