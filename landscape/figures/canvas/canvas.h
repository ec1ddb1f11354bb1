// A page to draw on: one drawing code for PNG, PDF (cairo), SVG and LaTeX (our own writers).
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "landscape/figures/canvas/colour_map.h"
#include "landscape/figures/canvas/font.h"
#include "landscape/figures/marching_squares.h"

namespace topograd::drawing {

/// Point on the page: px from its upper left corner, y downwards.
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
  double angle = 0;    ///< radians, clockwise about the anchor
  bool bold = false;
};

inline constexpr double kCapitalHeight = 0.73;  // in font sizes

/// Measures text in a font family, the same on every canvas, so that a figure has one layout.
class TextRuler {
 public:
  TextRuler();
  ~TextRuler();
  TextRuler(const TextRuler&) = delete;
  TextRuler& operator=(const TextRuler&) = delete;
  double width(const std::string& words, const TextStyle& style,
               const std::string& font = kFont) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Rectangles that touch one another, of one colour each.
struct Tiles {
  std::vector<double> x, y;     ///< px, their borders, increasing
  std::vector<Colour> colours;  ///< row by row, the top one first; opacity 0: nothing there
};

/// Piece of a surface in space, as it is seen, with pieces of lines on it.
struct Facet {
  std::array<Point, 4> corners;
  Colour colour;
  std::vector<std::array<Point, 2>> lines = {};
  Colour line_colour = {};
};

/// How a canvas has what is of another colour at every place: fields, colour bars.
enum class Fields { none, pixels, shapes };

/// Page to draw on. The anchor of a text lies at half the height of its capitals.
class Canvas {
 public:
  virtual ~Canvas() = default;
  virtual void fill(const std::vector<Polyline>& loops, const Colour& colour) = 0;
  virtual void stroke(const std::vector<Polyline>& lines, const Pen& pen) = 0;
  virtual void text(Point anchor, const std::string& words, const TextStyle& style) = 0;
  /// Stretches an image over `area`: [height, width] premultiplied 0xAARRGGBB, top row first.
  virtual void image(const Rect& area, int width, int height,
                     const std::vector<uint32_t>& pixels) = 0;
  /// Returns what fields are drawn as: images, or tiles and facets, or not at all.
  virtual Fields fields() const { return Fields::pixels; }
  virtual void tiles(const Tiles& tiles);
  /// Draws facets in their order, each with its lines of `line_width` px.
  virtual void facets(const std::vector<Facet>& facets, double line_width);
  /// Runs `draw`, clipped to the loops.
  virtual void clipped(const std::vector<Polyline>& loops, const std::function<void()>& draw) = 0;
  /// Runs `draw` with its upper left corner at `origin`.
  virtual void moved(Point origin, const std::function<void()>& draw) = 0;
  /// Runs `draw` with a px that is `factor` px long.
  virtual void scaled(double factor, const std::function<void()>& draw) = 0;

  /// Runs `draw` with letters of a family.
  void in_font(const std::string& family, const std::function<void()>& draw);
  const std::string& font() const { return font_; }

  void clipped(const Rect& area, const std::function<void()>& draw) {
    clipped(std::vector<Polyline>{area.outline()}, draw);
  }
  /// Draws diagonal strokes inside the loops, `spacing` px apart.
  void hatch(const std::vector<Polyline>& loops, const Pen& pen, double spacing);
  double text_width(const std::string& words, const TextStyle& style) const {
    return ruler_.width(words, style, font_);
  }
  /// Draws the text, set smaller (down to 70%) and then shortened until it fits `width`.
  void text_within(double width, Point anchor, std::string words, TextStyle style);

 private:
  TextRuler ruler_;
  std::string font_ = kFont;
};

}  // namespace topograd::drawing
