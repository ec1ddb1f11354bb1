#include "landscape/figures/canvas.h"

#include <cairo-svg.h>
#include <cairo.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <numbers>
#include <string_view>

#include "kernels/core/atomic_file.h"
#include "kernels/core/check.h"

namespace topograd::drawing {

namespace {

constexpr double kPngScale = 2;
constexpr const char* kFont = "DejaVu Sans";  // cairo falls back to any sans serif
constexpr double kCapitalHeight = 0.73;       // of the font size

/// write_file_atomically puts the file's name in front.
void check_status(cairo_status_t status, const char* call) {
  require(status == CAIRO_STATUS_SUCCESS, call, ": ", cairo_status_to_string(status));
}

using SurfacePointer = std::unique_ptr<cairo_surface_t, decltype(&cairo_surface_destroy)>;
using CairoPointer = std::unique_ptr<cairo_t, decltype(&cairo_destroy)>;
using FontOptionsPointer =
    std::unique_ptr<cairo_font_options_t, decltype(&cairo_font_options_destroy)>;

void add_path(cairo_t* cairo, const std::vector<Polyline>& lines) {
  cairo_new_path(cairo);
  for (const Polyline& line : lines) {
    cairo_new_sub_path(cairo);
    for (const Point& p : line.points) cairo_line_to(cairo, p.x, p.y);
    if (line.closed) cairo_close_path(cairo);
  }
}

void set_colour(cairo_t* cairo, const Colour& c) {
  cairo_set_source_rgba(cairo, c.red, c.green, c.blue, c.opacity);
}

}  // namespace

struct Canvas::State {
  cairo_t* cairo;

  void select(const TextStyle& style) const {
    cairo_select_font_face(cairo, kFont, CAIRO_FONT_SLANT_NORMAL,
                           style.bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(cairo, style.size);
  }
  void set(const Pen& pen) const {
    set_colour(cairo, pen.colour);
    cairo_set_line_width(cairo, pen.width);
    cairo_set_line_join(cairo, CAIRO_LINE_JOIN_ROUND);
    cairo_set_dash(cairo, pen.dashes.data(), static_cast<int>(pen.dashes.size()), 0);
  }
};

Polyline Rect::outline() const {
  return {{{left, top}, {right(), top}, {right(), bottom()}, {left, bottom()}}, true};
}

void Canvas::fill(const std::vector<Polyline>& loops, const Colour& colour) {
  add_path(state_.cairo, loops);
  set_colour(state_.cairo, colour);
  cairo_fill(state_.cairo);
}

void Canvas::stroke(const std::vector<Polyline>& lines, const Pen& pen) {
  add_path(state_.cairo, lines);
  state_.set(pen);
  cairo_stroke(state_.cairo);
}

void Canvas::hatch(const std::vector<Polyline>& loops, const Pen& pen, double spacing) {
  if (loops.empty()) return;
  cairo_save(state_.cairo);
  add_path(state_.cairo, loops);
  double left = 0, top = 0, right = 0, bottom = 0;
  cairo_path_extents(state_.cairo, &left, &top, &right, &bottom);
  cairo_clip(state_.cairo);
  // The strokes x + y = k * spacing, in phase over the whole page.
  std::vector<Polyline> strokes;
  const double step = spacing * std::numbers::sqrt2;
  for (double sum = step * std::floor((left + top) / step); sum < right + bottom; sum += step)
    strokes.push_back({{{sum - bottom, bottom}, {sum - top, top}}, false});
  stroke(strokes, pen);
  cairo_restore(state_.cairo);
}

void Canvas::text(Point anchor, const std::string& words, const TextStyle& style) {
  cairo_save(state_.cairo);
  state_.select(style);
  set_colour(state_.cairo, style.colour);
  cairo_translate(state_.cairo, anchor.x, anchor.y);
  cairo_rotate(state_.cairo, style.angle);
  cairo_move_to(state_.cairo, -style.align * text_width(words, style),
                0.5 * kCapitalHeight * style.size);
  cairo_show_text(state_.cairo, words.c_str());
  cairo_restore(state_.cairo);
}

double Canvas::text_width(const std::string& words, const TextStyle& style) const {
  state_.select(style);
  cairo_text_extents_t extents;
  cairo_text_extents(state_.cairo, words.c_str(), &extents);
  return extents.x_advance;
}

void Canvas::text_within(double width, Point anchor, std::string words, TextStyle style) {
  const double wanted = text_width(words, style);
  if (wanted > width) style.size *= std::max(0.7, width / wanted);
  std::string shown = words;
  while (!words.empty() && text_width(shown, style) > width + 1e-6) {
    // A whole UTF-8 character: its continuation bytes are 10xxxxxx.
    while (words.size() > 1 && (words.back() & 0xC0) == 0x80) words.pop_back();
    words.pop_back();
    shown = words + "…";
  }
  text(anchor, shown, style);
}

void Canvas::image(const Rect& area, int width, int height, const std::vector<uint32_t>& pixels) {
  require(pixels.size() == static_cast<size_t>(width) * static_cast<size_t>(height), "an image of ",
          width, " by ", height, " has ", pixels.size(), " pixels");
  const SurfacePointer surface(cairo_image_surface_create(CAIRO_FORMAT_ARGB32, width, height),
                               cairo_surface_destroy);
  check_status(cairo_surface_status(surface.get()), "cairo_image_surface_create");
  unsigned char* bytes = cairo_image_surface_get_data(surface.get());
  const auto stride = static_cast<size_t>(cairo_image_surface_get_stride(surface.get()));
  const auto columns = static_cast<size_t>(width);
  for (size_t row = 0; row < static_cast<size_t>(height); ++row)
    std::copy_n(pixels.data() + row * columns, columns,
                reinterpret_cast<uint32_t*>(bytes + row * stride));
  cairo_surface_mark_dirty(surface.get());
  cairo_save(state_.cairo);
  cairo_translate(state_.cairo, area.left, area.top);
  cairo_scale(state_.cairo, area.width / width, area.height / height);
  cairo_set_source_surface(state_.cairo, surface.get(), 0, 0);
  cairo_pattern_set_filter(cairo_get_source(state_.cairo), CAIRO_FILTER_NEAREST);
  cairo_paint(state_.cairo);
  cairo_restore(state_.cairo);
}

void Canvas::clipped(const Rect& area, const std::function<void()>& draw) {
  cairo_save(state_.cairo);
  cairo_rectangle(state_.cairo, area.left, area.top, area.width, area.height);
  cairo_clip(state_.cairo);
  draw();
  cairo_restore(state_.cairo);
}

namespace {

/// Draws onto a surface; its scale and everything cairo reported while drawing are settled here.
void draw_on(cairo_surface_t* surface, double scale, const std::function<void(Canvas&)>& draw) {
  check_status(cairo_surface_status(surface), "creating its surface");
  const CairoPointer cairo(cairo_create(surface), cairo_destroy);
  check_status(cairo_status(cairo.get()), "cairo_create");
  // Unhinted metrics: text is as wide in the PNG as in the SVG, so both have one layout.
  const FontOptionsPointer font(cairo_font_options_create(), cairo_font_options_destroy);
  cairo_font_options_set_hint_style(font.get(), CAIRO_HINT_STYLE_NONE);
  cairo_font_options_set_hint_metrics(font.get(), CAIRO_HINT_METRICS_OFF);
  cairo_font_options_set_antialias(font.get(), CAIRO_ANTIALIAS_GRAY);
  check_status(cairo_font_options_status(font.get()), "cairo_font_options_create");
  cairo_set_font_options(cairo.get(), font.get());
  cairo_scale(cairo.get(), scale, scale);
  set_colour(cairo.get(), {1, 1, 1, 1});
  cairo_paint(cairo.get());
  Canvas::State state{cairo.get()};
  Canvas canvas(state);
  draw(canvas);
  check_status(cairo_status(cairo.get()), "drawing");
}

void write_svg(const std::string& temporary, int width, int height,
               const std::function<void(Canvas&)>& draw) {
  const SurfacePointer surface(cairo_svg_surface_create(temporary.c_str(), width, height),
                               cairo_surface_destroy);
  check_status(cairo_surface_status(surface.get()), "cairo_svg_surface_create");
  cairo_svg_surface_set_document_unit(surface.get(), CAIRO_SVG_UNIT_PX);
  draw_on(surface.get(), 1, draw);
  cairo_surface_finish(surface.get());
  check_status(cairo_surface_status(surface.get()), "cairo_surface_finish");
}

void write_png(const std::string& temporary, int width, int height,
               const std::function<void(Canvas&)>& draw) {
  const SurfacePointer surface(
      cairo_image_surface_create(CAIRO_FORMAT_RGB24, static_cast<int>(kPngScale * width),
                                 static_cast<int>(kPngScale * height)),
      cairo_surface_destroy);
  draw_on(surface.get(), kPngScale, draw);
  check_status(cairo_surface_write_to_png(surface.get(), temporary.c_str()),
               "cairo_surface_write_to_png");
}

}  // namespace

void write_page(const std::string& path, int width, int height,
                const std::function<void(Canvas&)>& draw) {
  const bool svg = path.ends_with(".svg");
  require(svg || path.ends_with(".png"), "cannot tell the format of figure '", path,
          "': end its name in .svg or .png");
  require(width >= 400 && width <= 4000 && height >= 300 && height <= 4000, "a figure of ", width,
          " by ", height, " px: choose 400 to 4000 by 300 to 4000");
  write_file_atomically(path, [&](const std::string& temporary) {
    if (svg)
      write_svg(temporary, width, height, draw);
    else
      write_png(temporary, width, height, draw);
  });
}

}  // namespace topograd::drawing
