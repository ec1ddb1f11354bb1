// A page to draw on: cairo behind plain types, one drawing code for SVG and PNG.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "landscape/figures/colour_map.h"
#include "landscape/figures/contour.h"

namespace topograd::drawing {

/// Points on the page: px from its upper left corner, y downwards.
using Point = PlanePoint;

struct Rect {
  double left = 0;
  double top = 0;
  double width = 0;
  double height = 0;
  double right() const { return left + width; }
  double bottom() const { return top + height; }
  Polyline outline() const;
};

struct Pen {
  Colour colour;
  double width = 1;
  std::vector<double> dashes = {};
};

struct TextStyle {
  double size = 11;
  Colour colour = {};
  double align = 0.5;  ///< 0: the text starts at its anchor, 0.5: centred on it, 1: ends there
  double angle = 0;    ///< radians, clockwise on the page, about the anchor
  bool bold = false;
};

/// The anchor of a text lies at half the height of its capitals.
class Canvas {
 public:
  void fill(const std::vector<Polyline>& loops, const Colour& colour);
  void stroke(const std::vector<Polyline>& lines, const Pen& pen);
  /// Diagonal strokes inside the loops, `spacing` px apart.
  void hatch(const std::vector<Polyline>& loops, const Pen& pen, double spacing);
  void text(Point anchor, const std::string& words, const TextStyle& style);
  double text_width(const std::string& words, const TextStyle& style) const;
  /// pixels: [height, width], top row first, premultiplied 0xAARRGGBB, stretched over `area`.
  void image(const Rect& area, int width, int height, const std::vector<uint32_t>& pixels);
  /// Runs `draw` with everything outside `area` cut off.
  void clipped(const Rect& area, const std::function<void()>& draw);

  /// The text, set smaller (down to 70%) and then shortened until it fits `width`.
  void text_within(double width, Point anchor, std::string words, TextStyle style);

  struct State;
  explicit Canvas(State& state) : state_(state) {}

 private:
  State& state_;
};

/// Draws a page of width by height px and writes it to `path`, as its suffix says.
void write_page(const std::string& path, int width, int height,
                const std::function<void(Canvas&)>& draw);

}  // namespace topograd::drawing
