// Pages of figures: texts that keep apart at any size, what curves and fields mark, files.
#include <cairo.h>
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "kernels/core/numbers.h"
#include "landscape/figures/canvas/text_boxes.h"
#include "landscape/figures/figure.h"
#include "landscape/figures/fine_field.h"
#include "landscape/figures/frame.h"
#include "landscape/figures/scale.h"
#include "tests/temporary_folder.h"

using namespace topograd;
using namespace topograd::test;
using drawing::TextBox;

namespace {

/// A figure's texts where they are drawn.
std::vector<TextBox> texts_on(const Figure& figure) {
  drawing::TextBoxes canvas;
  figure.draw(canvas);
  return canvas.boxes();
}

bool says(const Figure& figure, const std::string& words) {
  const std::vector<TextBox> texts = texts_on(figure);
  return std::any_of(texts.begin(), texts.end(),
                     [&](const TextBox& box) { return box.words == words; });
}

/// A valley whose values span `decades`, from 1e-4 up.
FieldView valley(double decades, size_t points = 11) {
  FieldView field;
  for (size_t i = 0; i < points; ++i)
    field.x.push_back(-1 + 2.0 * static_cast<double>(i) / static_cast<double>(points - 1));
  field.y = field.x;
  for (double y : field.y)
    for (double x : field.x)
      field.values.push_back(1e-4 * std::pow(10, decades * (x * x + 0.5 * y * y) / 1.5));
  return field;
}

CurveView curves_of_a_line() {
  CurveView curves;
  for (int i = 0; i <= 20; ++i) curves.x.push_back(-1 + 0.1 * i);
  std::vector<double> loss, accuracy;
  for (const double x : curves.x) {
    loss.push_back(1.5 + 100 * x * x);
    accuracy.push_back(90 - 80 * x * x);
  }
  using Axis = Series::Axis;
  using Style = Series::Style;
  curves.series = {
      {.name = "train loss", .values = loss, .errors = std::vector(21, 0.4)},
      {.name = "test loss", .values = loss, .style = Style::dashed},
      {.name = "train accuracy", .values = accuracy, .axis = Axis::right},
      {.name = "test accuracy", .values = accuracy, .axis = Axis::right, .style = Style::dashed}};
  return curves;
}

/// Page of a style: size in px, letters' size against the screen's, texts around the plot.
struct Page {
  double width, height, zoom;
  bool texts;
};
constexpr Page kPages[] = {
    {700, 600, 1, true}, {321, 250, 0.85, false}, {317, 247, 1.1, false}, {1280, 960, 2.2, true}};

void check_apart(const Figure& figure) {
  const std::vector<TextBox> texts = texts_on(figure);
  REQUIRE(texts.size() > 5);
  for (size_t i = 0; i < texts.size(); ++i) {
    CAPTURE(texts[i].words);
    for (const PlanePoint& corner : texts[i].corners) {
      CHECK(corner.x >= 0);
      CHECK(corner.y >= 0);
      CHECK(corner.x <= figure.width);
      CHECK(corner.y <= figure.height);
    }
    for (size_t j = 0; j < i; ++j) {
      CAPTURE(texts[j].words);
      CHECK(!overlap(texts[i], texts[j]));
    }
  }
}

}  // namespace

TEST_CASE("text boxes: overlap where the boxes do, turned as they are") {
  const auto box = [](double x, double y, double angle) {
    drawing::TextBoxes canvas;
    canvas.text({x, y}, "somewhat long words", {.size = 10, .angle = angle});
    return canvas.boxes().front();
  };
  CHECK(overlap(box(0, 0, 0), box(40, 5, 0)));
  CHECK(!overlap(box(0, 0, 0), box(0, 8, 0)));
  const double turned = std::numbers::pi / 4;
  CHECK(overlap(box(0, 0, 0), box(20, 20, turned)));
  // Their upright boxes would overlap.
  CHECK(!overlap(box(0, 0, turned), box(14, -14, turned)));
  drawing::TextBoxes canvas;
  canvas.moved({10, 20}, [&] {
    canvas.scaled(2, [&] { canvas.text({1, 2}, "a", {.size = 10}); });
  });
  CHECK(canvas.boxes()[0].corners[0].y == doctest::Approx(24 - 0.73 * 10));
}

TEST_CASE("page: texts keep apart and on the page, in every kind of figure at every size") {
  for (const Page& page : kPages)
    for (const bool marks : {false, true})
      for (const double decades : {0.3, 1.0, 4.5, 9.0}) {
        CAPTURE(page.width);
        CAPTURE(page.zoom);
        CAPTURE(marks);
        CAPTURE(decades);
        FigureOptions options{
            .title = page.texts ? "resnet8 (option B, width 8)" : "",
            .subtitle = page.texts ? "cross-entropy over 128 images" : "",
            .note = page.texts && marks ? "the plane holds 96.7 % of the path's variance (a random "
                                          "walk's 78.2 %); checkpoints lie up to 0.873 off it, "
                                          "their own losses up to 1.4 from those shown"
                                        : "",
            .x_label = "alpha (filter-normalised random direction)",
            .y_label = "beta (filter-normalised random direction)",
            .value_label = "cross-entropy",
            .footer = page.texts ? "model fbaec93303ca62e6  data 3bdb36" : "",
            .scale = decades > 0.5 ? Scale::log : Scale::linear};
        options.width = page.width;
        options.height = page.height;
        options.zoom = page.zoom;
        FieldView field = valley(decades);
        if (marks) {
          options.clip_max = 0.5 * field.values.front();
          options.marks.path = {{-0.9, 0.7}, {-0.5, 0.2}, {0, 0}};
          options.marks.epochs = {"0", "5", "10"};
          options.marks.networks = {{{0.5, 0.5}, "another network"}};
          field.values[3] = kNaN;
          field.to_do.assign(field.values.size(), 0);
          field.to_do[20] = 1;
          field.values[20] = kNaN;
        }
        check_apart(contour_figure(field, options));
        check_apart(heat_map_figure(field, options));
        for (const double azimuth : {0.0, 35.0, 120.0, 200.0, 305.0}) {
          CAPTURE(azimuth);
          options.azimuth = azimuth;
          check_apart(surface_figure(field, options));
        }
        options.y_label = "cross-entropy";
        check_apart(curve_figure(curves_of_a_line(), options));
      }
}

TEST_CASE("page: letters grow with the zoom, and the page does not") {
  const auto height_of_a_number = [](double zoom) {
    const Figure figure = heat_map_figure(valley(1), {.width = 1400, .height = 1200, .zoom = zoom});
    CHECK(figure.width == 1400);
    CHECK(figure.height <= 1200);
    for (const TextBox& box : texts_on(figure))
      if (box.words == "0.0") return box.corners[2].y - box.corners[0].y;
    return 0.0;
  };
  CHECK(height_of_a_number(1) == doctest::Approx(11 * drawing::kCapitalHeight));
  CHECK(height_of_a_number(2) == doctest::Approx(22 * drawing::kCapitalHeight));
  CHECK(error_of([] {
          heat_map_figure(valley(1), {.width = 300, .zoom = 2});
        }).find("has no room for letters of this size: choose at least 460 by 320 px") !=
        std::string::npos);
}

TEST_CASE("page: numbers over decades have one form, and a minus of their own") {
  using Labels = std::vector<std::string>;
  CHECK(drawing::format_log_ticks({0.01, 0.1, 1, 100}) == Labels{"0.01", "0.1", "1", "100"});
  CHECK(drawing::format_log_ticks({1e-5, 1e-4, 1e-3}) == Labels{"10⁻⁵", "10⁻⁴", "10⁻³"});
  CHECK(drawing::format_log_ticks({5e-4, 1, 20}) == Labels{"5×10⁻⁴", "10⁰", "2×10¹"});
  CHECK(drawing::with_minuses("smallest -12.3, cross-entropy, 2026-11-30, (-1, -.5)") ==
        "smallest −12.3, cross-entropy, 2026-11-30, (−1, -.5)");
}

TEST_CASE("fine field: through the points, holes where the cells have one") {
  FieldView field{{0, 1, 3}, {0, 2, 3}, {1, 2, 3, 2, 3, 4, 5, 6, kNaN}};
  const std::vector<double> x = drawing::subdivided(field.x, 8),
                            y = drawing::subdivided(field.y, 8);
  CHECK(x == std::vector<double>{0, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3});
  const FieldView fine = drawing::resampled(field, x, y);
  for (size_t row = 0; row < 3; ++row)
    for (size_t column = 0; column < 3; ++column)
      if (row + column < 4) CHECK(fine.at(4 * row, 4 * column) == field.at(row, column));
  for (size_t row = 0; row < y.size(); ++row)
    for (size_t column = 0; column < x.size(); ++column) {
      const bool within = x[column] > 1 && y[row] > 2;
      CHECK(std::isnan(fine.at(row, column)) ==
            (within || (row == 8 && x[column] > 1) || (column == 8 && y[row] > 2)));
      if (!std::isnan(fine.at(row, column))) CHECK(fine.at(row, column) <= 6);
    }
}

namespace {

/// A page's strokes and fills.
class Recorder : public drawing::TextBoxes {
 public:
  struct Drawn {
    std::vector<Polyline> lines;
    Colour colour;
    double width = 0;  ///< 0: a fill
  };
  std::vector<Drawn> drawn;

  void fill(const std::vector<Polyline>& loops, const Colour& colour) override {
    drawn.push_back({loops, colour});
  }
  void stroke(const std::vector<Polyline>& lines, const drawing::Pen& pen) override {
    drawn.push_back({lines, pen.colour, pen.width});
  }
};

/// Returns the sharpest turn between pieces that are longer than rounding.
double sharpest_turn(const std::vector<Polyline>& lines) {
  double sharpest = 0;
  for (const Polyline& line : lines)
    for (size_t i = 1; i + 1 < line.points.size(); ++i) {
      const PlanePoint &a = line.points[i - 1], &b = line.points[i], &c = line.points[i + 1];
      if (std::hypot(b.x - a.x, b.y - a.y) < 0.5 || std::hypot(c.x - b.x, c.y - b.y) < 0.5)
        continue;
      const double before = std::atan2(b.y - a.y, b.x - a.x);
      const double after = std::atan2(c.y - b.y, c.x - b.x);
      sharpest = std::max(sharpest, std::abs(std::remainder(after - before, 2 * std::numbers::pi)));
    }
  return sharpest;
}

}  // namespace

TEST_CASE("contours: lines of an 11x11 grid bend, they have no corners") {
  Recorder page;
  contour_figure(valley(3), {.scale = Scale::log}).draw(page);
  int lines = 0;
  for (const Recorder::Drawn& drawn : page.drawn) {
    if (drawn.width != 0.8 || drawn.lines[0].points.size() < 20) continue;  // contours' width
    ++lines;
    // A polygon through the cells' sides turns by up to 40 degrees.
    CHECK(sharpest_turn(drawn.lines) < 25 * std::numbers::pi / 180);
  }
  CHECK(lines > 5);
}

TEST_CASE("contours: bands have the colours of heat maps") {
  const FieldView field = valley(3);
  for (const ColourMap map : {ColourMap::viridis, ColourMap::magma}) {
    Recorder page;
    contour_figure(field, {.scale = Scale::log, .colours = map}).draw(page);
    const drawing::ValueScale scale(field.values, {.scale = Scale::log});
    // The lowest band lies below everything; its colour is of its middle.
    const Colour lowest = page.drawn.front().colour;
    double nearest = 1;
    for (int i = 0; i <= 1000; ++i) {
      const Colour c = colour_at(map, i / 1000.0);
      nearest = std::min(nearest,
                         std::max({std::abs(c.red - lowest.red), std::abs(c.green - lowest.green),
                                   std::abs(c.blue - lowest.blue)}));
    }
    CHECK(nearest < 0.01);
  }
}

TEST_CASE("contours: there is a level in the innermost band, of a bowl and of a hill") {
  FieldView bowl{{}, {}, {}};
  for (int i = -10; i <= 10; ++i) bowl.x.push_back(0.1 * i);
  bowl.y = bowl.x;
  for (double y : bowl.y)
    for (double x : bowl.x) bowl.values.push_back(0.3 + 50 * (x * x + y * y));
  // Even levels are 10, 20, ...: the circle of 10 has a radius of 0.44.
  const std::vector<TextBox> texts = texts_on(contour_figure(bowl, {}));
  CHECK(std::any_of(texts.begin(), texts.end(), [](const TextBox& box) {
    const double value = std::atof(box.words.c_str());
    return box.corners[0].x > 600 && value > 0.3 && value < 8;  // beside the colour bar
  }));
  FieldView hill = bowl;
  for (double& value : hill.values) value = 96 - 0.9 * value;
  FigureOptions options;
  options.marks.largest = true;
  options.unit = " %";
  const Figure figure = contour_figure(hill, options);
  CHECK(says(figure, "θ* and maximum: 95.73 %"));
}

TEST_CASE("fields: what is to do and what is not finite are told apart, in every kind") {
  FieldView field = valley(1);
  field.values[5] = field.values[6] = field.values[7] = kNaN;
  field.to_do.assign(field.values.size(), 0);
  field.to_do[5] = 1;
  for (const Figure& figure :
       {contour_figure(field, {}), heat_map_figure(field, {}), surface_figure(field, {})}) {
    CHECK(says(figure, "2 points not finite"));
    CHECK(says(figure, "1 point to do"));
  }
  CurveView curves{.x = {0, 1, 2, 3}, .series = {{"loss", {1, kNaN, kNaN, 2}}}};
  curves.to_do = {0, 0, 1, 0};
  CHECK(says(curve_figure(curves, {}), "1 point not finite"));
  CHECK(says(curve_figure(curves, {}), "1 point to do"));
  curves.series[0].x = {0, 1, 2, 3};
  CHECK(!says(curve_figure(curves, {}), "1 point not finite"));  // absent, not a result
}

TEST_CASE("fields: cells of points to do are no holes") {
  FieldView field{{0, 1, 2, 3}, {0, 1}, {1, kNaN, 1, kNaN, 1, 1, 1, 1}};
  CHECK(holes(field).size() == 1);  // one run of three cells
  field.to_do = {0, 0, 0, 1, 0, 0, 0, 0};
  REQUIRE(holes(field).size() == 1);
  CHECK(holes(field)[0].points[1].x == 2);
  REQUIRE(unfinished(field).size() == 1);
  CHECK(unfinished(field)[0].points[0].x == 2);
  field.to_do = {1};
  CHECK(error_of([&] { field.check(); }) == "a field of 8 values says of 1 whether they are to do");
}

TEST_CASE("curves: the mark says of which curve, the largest where that is asked for") {
  CurveView curves = curves_of_a_line();
  CHECK(says(curve_figure(curves, {}), "lowest train loss: 1.5 at 0"));
  curves.mark = CurveView::Extreme::largest;
  curves.marked = "test accuracy";
  CHECK(says(curve_figure(curves, {}), "highest test accuracy: 90 % at 0"));
  curves.mark = CurveView::Extreme::none;
  CHECK(!says(curve_figure(curves, {}), "highest test accuracy: 90 % at 0"));
}

TEST_CASE("curves: over epochs the axis has whole numbers alone") {
  CurveView curves{.x = {1, 2, 3}, .series = {{"loss", {3, 2, 1}}}};
  const FigureOptions options{.level_min = 2.0, .level_max = 4.0};  // no such number beside it
  CHECK(!says(curve_figure(curves, options), "1.5"));
  CHECK(says(curve_figure(curves, options), "1"));
  curves.x = {1, 2, 2.5};
  CHECK(says(curve_figure(curves, options), "1.2"));
}

TEST_CASE("curves: guides where they are asked for, dots at the ends whole") {
  const CurveView curves{.x = {-1, 0, 1, 2},
                         .series = {{"loss", {1, 2, 3, 4}}},
                         .mark = CurveView::Extreme::none,
                         .guides = {0, 1}};
  const TemporaryFolder folder;
  Recorder page;
  const FigureOptions options;
  curve_figure(curves, options).draw(page);
  std::vector<double> guides;
  for (const Recorder::Drawn& drawn : page.drawn)
    if (drawn.width == 0.9 && drawn.lines.size() == 1 && drawn.colour.red == 0.6)
      guides.push_back(drawn.lines[0].points[0].x);
  const double left = 76, width = 600;
  CHECK(guides == std::vector<double>{left + width / 3, left + 2 * width / 3});
  save_figure(curve_figure(curves, options), folder.file("dots.png"));
  const std::shared_ptr<cairo_surface_t> picture(
      cairo_image_surface_create_from_png(folder.file("dots.png").c_str()), cairo_surface_destroy);
  // The first dot: blue on both sides of the plot's edge.
  int blue = 0;
  for (int row = 0; row < cairo_image_surface_get_height(picture.get()); ++row) {
    const unsigned char* pixel = cairo_image_surface_get_data(picture.get()) +
                                 row * cairo_image_surface_get_stride(picture.get()) +
                                 4 * static_cast<int>(2 * left - 3);
    blue += pixel[0] > pixel[2] + 50;
  }
  CHECK(blue >= 3);
}

TEST_CASE("figure: the numbers behind it are its data") {
  const FigureData plane =
      heat_map_figure({{0, 1}, {5, 6}, {1, 2, 3, 4}}, {.x_label = "alpha (PC 1)"}).data;
  REQUIRE(plane.columns.size() == 3);
  CHECK(plane.columns[0].name == "alpha");
  CHECK(plane.columns[0].values == std::vector<double>{0, 1, 0, 1});
  CHECK(plane.columns[1].values == std::vector<double>{5, 5, 6, 6});
  CHECK(plane.columns[2].values == std::vector<double>{1, 2, 3, 4});
  const FigureData lines =
      curve_figure({.x = {0, 1, 2},
                    .series = {{.name = "a", .values = {1, 2, 3}, .errors = {4, 5, 6}},
                               {.name = "b", .values = {7, 8}, .x = {0, 2}}}},
                   {.x_label = "epoch"})
          .data;
  REQUIRE(lines.columns.size() == 4);
  CHECK(lines.columns[2].name == "a, standard error");
  CHECK(lines.columns[3].values[0] == 7);
  CHECK(std::isnan(lines.columns[3].values[1]));
  CHECK(lines.columns[3].values[2] == 8);
}

TEST_CASE("figure: files of every type, with the pixels and the ground that were asked for") {
  const TemporaryFolder folder;
  const Figure figure = heat_map_figure(valley(1), {.title = "valley"});
  for (const std::string& type : figure_types()) save_figure(figure, folder.file("f." + type));
  CHECK(folder.read("f.eps").starts_with("%!PS-Adobe-3.0 EPSF"));
  CHECK(folder.read("f.eps").find("%%BoundingBox:") != std::string::npos);
  CHECK(figure_type_of("a/b.eps") == "eps");
  CHECK(figure_type_of("a.b/c").empty());
  CHECK(error_of([&] { figure_type_of("picture.jpg"); }) ==
        "cannot tell the format of figure 'picture.jpg': end its name in .svg, .pdf, .png, .eps or "
        ".tex");
  const auto picture = [&](const FigureFile& file) {
    save_figure(figure, folder.file("p.png"), file);
    return std::shared_ptr<cairo_surface_t>(
        cairo_image_surface_create_from_png(folder.file("p.png").c_str()), cairo_surface_destroy);
  };
  CHECK(cairo_image_surface_get_width(picture({.dpi = 96}).get()) == figure.width);
  CHECK(cairo_image_surface_get_width(picture({.dpi = 300}).get()) ==
        std::lround(figure.width * 300 / 96.0));
  const auto corner = [](const std::shared_ptr<cairo_surface_t>& surface) {
    return cairo_image_surface_get_data(surface.get())[3];
  };
  CHECK(cairo_image_surface_get_format(picture({}).get()) == CAIRO_FORMAT_RGB24);
  CHECK(corner(picture({.transparent = true})) == 0);
  save_figure(figure, folder.file("t.svg"), {.transparent = true});
  CHECK(folder.read("t.svg").find("<rect width=\"100%\"") == std::string::npos);
  CHECK(folder.read("f.svg").find("<rect width=\"100%\"") != std::string::npos);
}

TEST_CASE("figure: another font is measured and written") {
  const FieldView field = valley(1);
  const TemporaryFolder folder;
  save_figure(heat_map_figure(field, {.font = "DejaVu Serif"}), folder.file("serif.svg"));
  CHECK(folder.read("serif.svg").find("font-family=\"'DejaVu Serif', Verdana, sans-serif\"") !=
        std::string::npos);
}
