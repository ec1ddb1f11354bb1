#include "landscape/figures/canvas/cairo_canvas.h"

#include <cairo-pdf.h>
#include <cairo-ps.h>
#include <cairo.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "kernels/core/check.h"

namespace topograd::drawing {

namespace {

constexpr double kPointsPerPx = 0.75;  // 72 points and 96 px to the inch

/// Throws Error unless cairo succeeded; write_file_atomically puts the file's name in front.
void check_status(cairo_status_t status, const char* call) {
  require(status == CAIRO_STATUS_SUCCESS, call, ": ", cairo_status_to_string(status));
}

using SurfacePointer = std::unique_ptr<cairo_surface_t, decltype(&cairo_surface_destroy)>;
using CairoPointer = std::unique_ptr<cairo_t, decltype(&cairo_destroy)>;
using FontOptionsPointer =
    std::unique_ptr<cairo_font_options_t, decltype(&cairo_font_options_destroy)>;

SurfacePointer image_surface(cairo_format_t format, int width, int height) {
  SurfacePointer surface(cairo_image_surface_create(format, width, height), cairo_surface_destroy);
  check_status(cairo_surface_status(surface.get()), "cairo_image_surface_create");
  return surface;
}

/// Returns a context without hinting of text, which is then as wide in pixels as in points.
CairoPointer context_on(cairo_surface_t* surface) {
  check_status(cairo_surface_status(surface), "creating its surface");
  CairoPointer cairo(cairo_create(surface), cairo_destroy);
  check_status(cairo_status(cairo.get()), "cairo_create");
  const FontOptionsPointer font(cairo_font_options_create(), cairo_font_options_destroy);
  cairo_font_options_set_hint_style(font.get(), CAIRO_HINT_STYLE_NONE);
  cairo_font_options_set_hint_metrics(font.get(), CAIRO_HINT_METRICS_OFF);
  cairo_font_options_set_antialias(font.get(), CAIRO_ANTIALIAS_GRAY);
  check_status(cairo_font_options_status(font.get()), "cairo_font_options_create");
  cairo_set_font_options(cairo.get(), font.get());
  return cairo;
}

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

void select_font(cairo_t* cairo, const TextStyle& style, const std::string& family) {
  cairo_select_font_face(cairo, family.c_str(), CAIRO_FONT_SLANT_NORMAL,
                         style.bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size(cairo, style.size);
}

SurfacePointer surface_of(int width, int height, const std::vector<uint32_t>& pixels) {
  require(pixels.size() == static_cast<size_t>(width) * static_cast<size_t>(height), "an image of ",
          width, " by ", height, " has ", pixels.size(), " pixels");
  SurfacePointer surface = image_surface(CAIRO_FORMAT_ARGB32, width, height);
  unsigned char* bytes = cairo_image_surface_get_data(surface.get());
  const auto stride = static_cast<size_t>(cairo_image_surface_get_stride(surface.get()));
  const auto columns = static_cast<size_t>(width);
  for (size_t row = 0; row < static_cast<size_t>(height); ++row)
    std::copy_n(pixels.data() + row * columns, columns,
                reinterpret_cast<uint32_t*>(bytes + row * stride));
  cairo_surface_mark_dirty(surface.get());
  return surface;
}

class CairoCanvas : public Canvas {
 public:
  explicit CairoCanvas(cairo_t* cairo) : cairo_(cairo) {}

  void fill(const std::vector<Polyline>& loops, const Colour& colour) override {
    add_path(cairo_, loops);
    set_colour(cairo_, colour);
    cairo_fill(cairo_);
  }

  void stroke(const std::vector<Polyline>& lines, const Pen& pen) override {
    add_path(cairo_, lines);
    set_colour(cairo_, pen.colour);
    cairo_set_line_width(cairo_, pen.width);
    cairo_set_line_join(cairo_, CAIRO_LINE_JOIN_ROUND);
    cairo_set_dash(cairo_, pen.dashes.data(), static_cast<int>(pen.dashes.size()), 0);
    cairo_stroke(cairo_);
  }

  void text(Point anchor, const std::string& words, const TextStyle& style) override {
    cairo_save(cairo_);
    select_font(cairo_, style, font());
    set_colour(cairo_, style.colour);
    cairo_translate(cairo_, anchor.x, anchor.y);
    cairo_rotate(cairo_, style.angle);
    cairo_move_to(cairo_, -style.align * text_width(words, style),
                  0.5 * kCapitalHeight * style.size);
    cairo_show_text(cairo_, words.c_str());
    cairo_restore(cairo_);
  }

  void image(const Rect& area, int width, int height,
             const std::vector<uint32_t>& pixels) override {
    const SurfacePointer surface = surface_of(width, height, pixels);
    cairo_save(cairo_);
    cairo_translate(cairo_, area.left, area.top);
    cairo_scale(cairo_, area.width / width, area.height / height);
    cairo_set_source_surface(cairo_, surface.get(), 0, 0);
    cairo_pattern_set_filter(cairo_get_source(cairo_), CAIRO_FILTER_NEAREST);
    cairo_paint(cairo_);
    cairo_restore(cairo_);
  }

  void clipped(const std::vector<Polyline>& loops, const std::function<void()>& draw) override {
    cairo_save(cairo_);
    add_path(cairo_, loops);
    cairo_clip(cairo_);
    draw();
    cairo_restore(cairo_);
  }

  void moved(Point origin, const std::function<void()>& draw) override {
    cairo_save(cairo_);
    cairo_translate(cairo_, origin.x, origin.y);
    draw();
    cairo_restore(cairo_);
  }

  void scaled(double factor, const std::function<void()>& draw) override {
    cairo_save(cairo_);
    cairo_scale(cairo_, factor, factor);
    draw();
    cairo_restore(cairo_);
  }

 private:
  cairo_t* cairo_;
};

/// Draws on a page that is white, or nothing at all, then throws Error for anything that cairo
/// reported.
void draw_on(cairo_surface_t* surface, double scale, bool transparent,
             const std::function<void(Canvas&)>& draw) {
  const CairoPointer cairo = context_on(surface);
  cairo_scale(cairo.get(), scale, scale);
  set_colour(cairo.get(), {1, 1, 1, 1});
  if (!transparent) cairo_paint(cairo.get());
  CairoCanvas canvas(cairo.get());
  draw(canvas);
  check_status(cairo_status(cairo.get()), "drawing");
}

cairo_status_t append(void* to, const unsigned char* bytes, unsigned int count) {
  static_cast<std::string*>(to)->append(reinterpret_cast<const char*>(bytes), count);
  return CAIRO_STATUS_SUCCESS;
}

}  // namespace

struct TextRuler::State {
  SurfacePointer surface = image_surface(CAIRO_FORMAT_A8, 1, 1);
  CairoPointer cairo = context_on(surface.get());
};

TextRuler::TextRuler() : state_(std::make_unique<State>()) {}
TextRuler::~TextRuler() = default;

double TextRuler::width(const std::string& words, const TextStyle& style,
                        const std::string& font) const {
  select_font(state_->cairo.get(), style, font);
  cairo_text_extents_t extents;
  cairo_text_extents(state_->cairo.get(), words.c_str(), &extents);
  return extents.x_advance;
}

void write_png(const std::string& path, int width, int height, double scale, bool transparent,
               const std::function<void(Canvas&)>& draw) {
  const SurfacePointer surface = image_surface(
      transparent ? CAIRO_FORMAT_ARGB32 : CAIRO_FORMAT_RGB24,
      static_cast<int>(std::lround(scale * width)), static_cast<int>(std::lround(scale * height)));
  draw_on(surface.get(), scale, transparent, draw);
  check_status(cairo_surface_write_to_png(surface.get(), path.c_str()),
               "cairo_surface_write_to_png");
}

void write_pdf(const std::string& path, int width, int height, const std::string& title,
               bool transparent, const std::function<void(Canvas&)>& draw) {
  const SurfacePointer surface(
      cairo_pdf_surface_create(path.c_str(), kPointsPerPx * width, kPointsPerPx * height),
      cairo_surface_destroy);
  check_status(cairo_surface_status(surface.get()), "cairo_pdf_surface_create");
  cairo_pdf_surface_set_metadata(surface.get(), CAIRO_PDF_METADATA_TITLE, title.c_str());
  draw_on(surface.get(), kPointsPerPx, transparent, draw);
  cairo_surface_finish(surface.get());
  check_status(cairo_surface_status(surface.get()), "cairo_surface_finish");
}

void write_eps(const std::string& path, int width, int height, double dpi, bool transparent,
               const std::function<void(Canvas&)>& draw) {
  const SurfacePointer surface(
      cairo_ps_surface_create(path.c_str(), kPointsPerPx * width, kPointsPerPx * height),
      cairo_surface_destroy);
  check_status(cairo_surface_status(surface.get()), "cairo_ps_surface_create");
  cairo_ps_surface_set_eps(surface.get(), 1);
  cairo_surface_set_fallback_resolution(surface.get(), dpi, dpi);
  draw_on(surface.get(), kPointsPerPx, transparent, draw);
  cairo_surface_finish(surface.get());
  check_status(cairo_surface_status(surface.get()), "cairo_surface_finish");
}

Pixels painted(int width, int height, double scale, const std::function<void(Canvas&)>& draw) {
  Pixels result{.width = static_cast<int>(scale * width),
                .height = static_cast<int>(scale * height)};
  const SurfacePointer surface = image_surface(CAIRO_FORMAT_RGB24, result.width, result.height);
  draw_on(surface.get(), scale, /*transparent=*/false, draw);
  cairo_surface_flush(surface.get());
  const unsigned char* bytes = cairo_image_surface_get_data(surface.get());
  const auto stride = static_cast<size_t>(cairo_image_surface_get_stride(surface.get()));
  for (size_t row = 0; row < static_cast<size_t>(result.height); ++row) {
    const auto* begin = reinterpret_cast<const uint32_t*>(bytes + row * stride);
    for (int column = 0; column < result.width; ++column)
      result.values.push_back(0xFF000000U | begin[column]);
  }
  return result;
}

Pixels halved(const Pixels& pixels) {
  Pixels result{.width = pixels.width / 2, .height = pixels.height / 2};
  const auto columns = static_cast<size_t>(pixels.width);
  for (size_t row = 0; row < static_cast<size_t>(result.height); ++row)
    for (size_t column = 0; column < static_cast<size_t>(result.width); ++column) {
      const uint32_t* four = pixels.values.data() + 2 * row * columns + 2 * column;
      uint32_t mean = 0;
      for (unsigned shift = 0; shift < 32; shift += 8) {
        uint32_t sum = 2;  // to the nearest
        for (size_t i : {size_t{0}, size_t{1}, columns, columns + 1})
          sum += four[i] >> shift & 255U;
        mean |= sum / 4 << shift;
      }
      result.values.push_back(mean);
    }
  return result;
}

std::string png_bytes(const Pixels& pixels) {
  const SurfacePointer surface = surface_of(pixels.width, pixels.height, pixels.values);
  std::string bytes;
  check_status(cairo_surface_write_to_png_stream(surface.get(), append, &bytes),
               "cairo_surface_write_to_png_stream");
  return bytes;
}

}  // namespace topograd::drawing
