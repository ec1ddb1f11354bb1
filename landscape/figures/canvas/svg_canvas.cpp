#include "landscape/figures/canvas/svg_canvas.h"

#include <cmath>
#include <cstdio>
#include <numbers>

#include "kernels/core/check.h"
#include "landscape/figures/canvas/cairo_canvas.h"
#include "landscape/figures/canvas/markup.h"

namespace topograd::drawing {

namespace {

/// Returns a position to a hundredth of a px, which is enough: six digits would double the file.
std::string number(double value, int decimals = 2) {
  char digits[64];
  std::snprintf(digits, sizeof digits, "%.*f", decimals, value);
  std::string shown = digits;
  if (shown.find('.') != std::string::npos) {
    shown.erase(shown.find_last_not_of('0') + 1);
    if (shown.back() == '.') shown.pop_back();
  }
  return shown == "-0" ? "0" : shown;
}

std::string path_data(const std::vector<Polyline>& lines) {
  std::string data;
  for (const Polyline& line : lines) {
    char command = 'M';
    for (const Point& p : line.points) {
      data += text(command, number(p.x), ' ', number(p.y));
      command = 'L';
    }
    if (line.closed && !line.points.empty()) data += 'Z';
  }
  return data;
}

/// Returns fill="#rrggbb", and fill-opacity where it is not 1.
std::string paint(const char* attribute, const Colour& c) {
  const auto byte = [](double channel) { return static_cast<int>(std::lround(255 * channel)); };
  char hex[8];
  std::snprintf(hex, sizeof hex, "#%02x%02x%02x", byte(c.red), byte(c.green), byte(c.blue));
  std::string result = text(' ', attribute, "=\"", hex, '"');
  if (c.opacity < 1) result += text(' ', attribute, "-opacity=\"", number(c.opacity, 3), '"');
  return result;
}

/// Returns a list of families as an attribute holds it: without the font, any sans serif.
std::string families(const std::string& font) {
  return text("'", escaped_markup(font), "', Verdana, sans-serif");
}

class SvgCanvas : public Canvas {
 public:
  explicit SvgCanvas(std::string prefix) : prefix_(std::move(prefix)) {}

  void fill(const std::vector<Polyline>& loops, const Colour& colour) override {
    const std::string data = path_data(loops);
    if (!data.empty())
      body_ += topograd::text("<path d=\"", data, '"', paint("fill", colour), "/>\n");
  }

  void stroke(const std::vector<Polyline>& lines, const Pen& pen) override {
    const std::string data = path_data(lines);
    if (data.empty()) return;
    body_ += topograd::text("<path d=\"", data, "\" fill=\"none\"", paint("stroke", pen.colour),
                            " stroke-width=\"", number(pen.width), "\" stroke-linejoin=\"round\"");
    if (!pen.dashes.empty()) {
      body_ += " stroke-dasharray=\"";
      for (size_t i = 0; i < pen.dashes.size(); ++i)
        body_ += topograd::text(i == 0 ? "" : " ", number(pen.dashes[i]));
      body_ += '"';
    }
    body_ += "/>\n";
  }

  void text(Point anchor, const std::string& words, const TextStyle& style) override {
    if (words.empty()) return;
    const double width = text_width(words, style);
    body_ += topograd::text("<text transform=\"translate(", number(anchor.x), ' ', number(anchor.y),
                            ')');
    if (style.angle != 0)
      body_ += topograd::text(" rotate(", number(style.angle * 180 / std::numbers::pi), ')');
    body_ += topograd::text(
        "\" x=\"", number(-style.align * width), "\" y=\"",
        number(0.5 * kCapitalHeight * style.size), "\" textLength=\"", number(width),
        "\" lengthAdjust=\"spacingAndGlyphs\" font-size=\"", number(style.size), '"',
        font() == kFont ? std::string() : topograd::text(" font-family=\"", families(font()), '"'),
        style.bold ? " font-weight=\"bold\"" : "", paint("fill", style.colour), '>',
        escaped_markup(words), "</text>\n");
  }

  void image(const Rect& area, int width, int height,
             const std::vector<uint32_t>& pixels) override {
    body_ += topograd::text("<image x=\"", number(area.left), "\" y=\"", number(area.top),
                            "\" width=\"", number(area.width), "\" height=\"", number(area.height),
                            "\" preserveAspectRatio=\"none\" style=\"image-rendering:pixelated\" ",
                            "xlink:href=\"data:image/png;base64,",
                            base64(png_bytes({width, height, pixels})), "\"/>\n");
  }

  void clipped(const std::vector<Polyline>& loops, const std::function<void()>& draw) override {
    const std::string id = topograd::text(prefix_, "clip", ++clips_);
    body_ += topograd::text("<clipPath id=\"", id, "\"><path d=\"", path_data(loops),
                            "\"/></clipPath>\n<g clip-path=\"url(#", id, ")\">\n");
    draw();
    body_ += "</g>\n";
  }

  void scaled(double factor, const std::function<void()>& draw) override {
    body_ += topograd::text("<g transform=\"scale(", number(factor, 6), ")\">\n");
    draw();
    body_ += "</g>\n";
  }

  void moved(Point origin, const std::function<void()>& draw) override {
    body_ += topograd::text("<g transform=\"translate(", number(origin.x), ' ', number(origin.y),
                            ")\">\n");
    draw();
    body_ += "</g>\n";
  }

  const std::string& body() const { return body_; }

 private:
  std::string prefix_;
  std::string body_;
  int clips_ = 0;
};

}  // namespace

std::string svg_text(int width, int height, const std::string& title,
                     const std::function<void(Canvas&)>& draw, const std::string& prefix,
                     bool transparent) {
  SvgCanvas canvas(prefix);
  draw(canvas);
  return text("<svg xmlns=\"http://www.w3.org/2000/svg\" ",
              "xmlns:xlink=\"http://www.w3.org/1999/xlink\" version=\"1.1\" xml:space=\"preserve\" "
              "width=\"",
              width, "\" height=\"", height, "\" viewBox=\"0 0 ", width, ' ', height,
              "\" font-family=\"", families(kFont), "\">\n<title>", escaped_markup(title),
              "</title>\n",
              transparent ? "" : "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
              canvas.body(), "</svg>\n");
}

}  // namespace topograd::drawing
