#include "landscape/figures/canvas/tikz_canvas.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <numbers>
#include <utility>

#include "kernels/core/check.h"
#include "landscape/figures/canvas/latex_text.h"

namespace topograd::drawing {

namespace {

constexpr double kBigPointsPerPx = 0.75;  // 72 big points and 96 px to the inch
constexpr double kCmPerPoint = 2.54 / 72;
constexpr double kOverlap = 0.3;  // points that a tile reaches below the next ones
constexpr size_t kPointsPerLine = 7;

/// Returns a length to a hundredth of a point.
std::string length_text(double value) {
  char digits[64];
  std::snprintf(digits, sizeof digits, "%.2f", value);
  std::string shown = digits;
  shown.erase(shown.find_last_not_of('0') + 1);
  if (shown.back() == '.') shown.pop_back();
  return shown == "-0" ? "0" : shown;
}

std::string hex_of(const Colour& colour) {
  const auto byte = [](double channel) {
    return static_cast<unsigned>(std::lround(255 * std::clamp(channel, 0.0, 1.0)));
  };
  char hex[8];
  std::snprintf(hex, sizeof hex, "%02X%02X%02X", byte(colour.red) & 255U, byte(colour.green) & 255U,
                byte(colour.blue) & 255U);
  return hex;
}

/// Names for what a picture repeats, in the order of their first use.
class Names {
 public:
  explicit Names(std::string first) : first_(std::move(first)) {}
  std::string of(const std::string& what) {
    const auto [entry, is_new] = names_.try_emplace(what, text(first_, names_.size() + 1));
    if (is_new) in_order_.push_back(what);
    return entry->second;
  }
  const std::vector<std::string>& in_order() const { return in_order_; }

 private:
  std::string first_;
  std::map<std::string, std::string> names_;
  std::vector<std::string> in_order_;
};

class TikzCanvas : public Canvas {
 public:
  void fill(const std::vector<Polyline>& loops, const Colour& colour) override {
    const std::string path = path_of(loops);
    if (path.empty()) return;
    body_ +=
        "\\fill[" + colours_.of(hex_of(colour)) + opacity(colour, "fill") + "] " + path + ";\n";
  }

  void stroke(const std::vector<Polyline>& lines, const Pen& pen) override {
    const std::string path = path_of(lines);
    if (path.empty()) return;
    body_ += topograd::text("\\draw[", colours_.of(hex_of(pen.colour)),
                            ",line width=", length_text(factor_ * pen.width), "pt",
                            opacity(pen.colour, "draw"));
    if (!pen.dashes.empty()) {
      body_ += ",dash pattern=";
      for (size_t i = 0; i < pen.dashes.size(); ++i)
        body_ += topograd::text(i == 0 ? "" : " ", i % 2 == 0 ? "on " : "off ",
                                length_text(factor_ * pen.dashes[i]), "pt");
    }
    body_ += "] " + path + ";\n";
  }

  void text(Point anchor, const std::string& words, const TextStyle& style) override {
    if (words.empty()) return;
    const auto greek = style.bold ? GreekWords::as_letters : GreekWords::as_symbols;  // a title
    body_ += topograd::text("\\node[", sizes_.of(size_style(factor_ * style.size, style.bold)),
                            ",text=", colours_.of(hex_of(style.colour)));
    if (style.align != 0.5) body_ += style.align < 0.5 ? ",anchor=west" : ",anchor=east";
    if (style.angle != 0) body_ += ",rotate=" + length_text(-style.angle * 180 / std::numbers::pi);
    body_ += "] at " + at(anchor) + " {" + latex_text(words, greek) + "};\n";
  }

  void image(const Rect& area, int width, int height,
             const std::vector<uint32_t>& pixels) override {
    Tiles as_tiles;
    for (int i = 0; i <= width; ++i) as_tiles.x.push_back(area.left + area.width * i / width);
    for (int i = 0; i <= height; ++i) as_tiles.y.push_back(area.top + area.height * i / height);
    for (const uint32_t pixel : pixels) {
      const double opacity = (pixel >> 24U) / 255.0;
      const auto channel = [&](unsigned shift) {
        return opacity == 0 ? 0 : (pixel >> shift & 255U) / 255.0 / opacity;
      };
      as_tiles.colours.push_back({channel(16), channel(8), channel(0), opacity});
    }
    tiles(as_tiles);
  }

  Fields fields() const override { return Fields::shapes; }

  void tiles(const Tiles& tiles) override {
    const size_t columns = tiles.x.size() - 1, rows = tiles.y.size() - 1;
    const auto colour = [&](size_t row, size_t column) -> const Colour& {
      return tiles.colours[row * columns + column];
    };
    const auto same = [](const Colour& a, const Colour& b) {
      return a.opacity == b.opacity && hex_of(a) == hex_of(b);
    };
    const auto same_rows = [&](size_t a, size_t b) {
      for (size_t column = 0; column < columns; ++column)
        if (!same(colour(a, column), colour(b, column))) return false;
      return true;
    };
    for (size_t row = 0, below = 0; row < rows; row = below) {
      for (below = row + 1; below < rows && same_rows(row, below);) ++below;
      for (size_t begin = 0, end = 0; begin < columns; begin = end) {
        const Colour& own = colour(row, begin);
        bool goes_on_below = below < rows;
        for (end = begin; end < columns && same(colour(row, end), own); ++end)
          goes_on_below = goes_on_below && colour(below, end).opacity == 1;
        if (own.opacity == 0) continue;
        // Two edges in one place let what is behind them shine through; what comes later covers.
        const bool goes_on = end < columns && colour(row, end).opacity == 1;
        const Point corner = placed({tiles.x[begin], tiles.y[row]});
        Point other = placed({tiles.x[end], tiles.y[below]});
        if (goes_on && own.opacity == 1) other.x += kOverlap;
        if (goes_on_below && own.opacity == 1) other.y += kOverlap;
        body_ += topograd::text("\\fill[", colours_.of(hex_of(own)), opacity(own, "fill"), "](",
                                length_text(corner.x), ',', length_text(corner.y), ")rectangle(",
                                length_text(other.x), ',', length_text(other.y), ");\n");
      }
    }
  }

  void facets(const std::vector<Facet>& facets, double line_width) override {
    // Facets are thousands, of as many colours: macros of their own, which read numbers alone. A
    // facet's edge is drawn too, so that nothing shines through between two of them.
    body_ += topograd::text(
        "\\begin{scope}\n"
        "\\def\\colour#1{\\definecolor{f}{HTML}{#1}\\pgfsetcolor{f}}\n"
        "\\def\\corner#1 #2;{\\pgfpathlineto{\\pgfqpoint{#1bp}{-#2bp}}}\n"
        "\\def\\F#1 #2 #3 #4 #5 #6 #7 #8 "
        "#9;{\\colour{#1}\\pgfpathmoveto{\\pgfqpoint{#2bp}{-#3bp}}%\n"
        "  \\corner#4 #5;\\corner#6 #7;\\corner#8 #9;\\pgfpathclose\\pgfusepath{fill,stroke}}\n"
        "\\def\\L#1 #2 #3 #4 #5;{\\colour{#1}\\pgfsetlinewidth{",
        length_text(factor_ * line_width),
        "pt}\\pgfpathmoveto{\\pgfqpoint{#2bp}{-#3bp}}%\n"
        "  \\corner#4 #5;\\pgfusepath{stroke}\\pgfsetlinewidth{0.2pt}}\n"
        "\\pgfsetlinewidth{0.2pt}\n");
    for (const Facet& facet : facets) {
      body_ += "\\F " + hex_of(facet.colour) + lengths(facet.corners) + ";\n";
      for (const auto& line : facet.lines)
        body_ += "\\L " + hex_of(facet.line_colour) + lengths(line) + ";\n";
    }
    body_ += "\\end{scope}\n";
  }

  void clipped(const std::vector<Polyline>& loops, const std::function<void()>& draw) override {
    const std::string path = path_of(loops);
    if (path.empty()) return;
    body_ += "\\begin{scope}\n\\clip " + path + ";\n";
    draw();
    body_ += "\\end{scope}\n";
  }

  void moved(Point origin, const std::function<void()>& draw) override {
    const Point before = std::exchange(origin_, placed(origin));
    draw();
    origin_ = before;
  }

  void scaled(double factor, const std::function<void()>& draw) override {
    const double before = std::exchange(factor_, factor_ * factor);
    draw();
    factor_ = before;
  }

  const std::string& body() const { return body_; }
  const std::vector<std::string>& colours() const { return colours_.in_order(); }
  const std::vector<std::string>& sizes() const { return sizes_.in_order(); }

 private:
  Point placed(Point p) const { return {origin_.x + factor_ * p.x, origin_.y + factor_ * p.y}; }
  std::string at(Point p) const {
    const Point here = placed(p);
    return topograd::text('(', length_text(here.x), ',', length_text(here.y), ')');
  }

  template <size_t n>
  std::string lengths(const std::array<Point, n>& points) const {
    std::string shown;
    for (const Point& p : points) {
      const Point here = placed(p);
      shown += topograd::text(' ', length_text(here.x), ' ', length_text(here.y));
    }
    return shown;
  }

  std::string path_of(const std::vector<Polyline>& lines) const {
    std::string path;
    size_t points = 0;
    for (const Polyline& line : lines) {
      if (line.points.size() < 2) continue;
      for (size_t i = 0; i < line.points.size(); ++i) {
        if (points > 0 && points % kPointsPerLine == 0) path += '\n';
        path += (i == 0 ? "" : "--") + at(line.points[i]);
        ++points;
      }
      if (line.closed) path += "--cycle";
    }
    return path;
  }

  static std::string opacity(const Colour& colour, const char* of) {
    return colour.opacity < 1 ? topograd::text(',', of, " opacity=", length_text(colour.opacity))
                              : "";
  }

  /// Returns the options of nodes of a size: the box of a text reaches from its foot to the head of
  /// its capitals, whatever letters it has.
  static std::string size_style(double size, bool bold) {
    constexpr double kCapitals = 0.69, kLine = 1.2;  // of Computer Modern and Times, in font sizes
    return topograd::text("font=", bold ? "\\bfseries\\boldmath" : "", "\\fontsize{",
                          length_text(size), "}{", length_text(kLine * size),
                          "}\\selectfont,text height=", length_text(kCapitals * size),
                          "pt,text depth=0pt");
  }

  double factor_ = kBigPointsPerPx;  // points to a px
  Point origin_;                     // points
  std::string body_;
  Names colours_{"c"}, sizes_{"size"};
};

std::string comment_of(const std::string& words) {
  std::string line = words;
  std::replace_if(
      line.begin(), line.end(), [](unsigned char c) { return c < 0x20; }, ' ');
  return line;
}

}  // namespace

std::string tikz_text(double width, double height, const std::string& title, bool transparent,
                      const std::function<void(Canvas&)>& draw) {
  TikzCanvas canvas;
  const Rect page{0, 0, width, height};
  if (!transparent) canvas.fill({page.outline()}, kWhite);
  draw(canvas);
  const double points_wide = kBigPointsPerPx * width, points_high = kBigPointsPerPx * height;
  std::string file = text("% ", comment_of(title), "\n% ", length_text(kCmPerPoint * points_wide),
                          " cm by ", length_text(kCmPerPoint * points_high),
                          " cm, for \\input where \\usepackage{tikz} is in the preamble\n"
                          "\\begin{tikzpicture}[x=1bp,y=-1bp,line join=round,\n"
                          "  every node/.style={inner sep=0pt,outer sep=0pt}");
  for (size_t i = 0; i < canvas.sizes().size(); ++i)
    file += text(",\n  size", i + 1, "/.style={", canvas.sizes()[i], "}");
  file += "]\n";
  for (size_t i = 0; i < canvas.colours().size(); ++i)
    file += text("\\definecolor{c", i + 1, "}{HTML}{", canvas.colours()[i], "}\n");
  return file +
         text("\\useasboundingbox (0,0) rectangle (", length_text(points_wide), ',',
              length_text(points_high), ");\n") +
         canvas.body() + "\\end{tikzpicture}%\n";
}

}  // namespace topograd::drawing
