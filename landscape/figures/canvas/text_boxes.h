// A canvas that draws nothing but keeps where texts would be.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "landscape/figures/canvas/canvas.h"

namespace topograd::drawing {

/// Box around a text on the page, from its capitals' feet to their heads: its corners in order.
struct TextBox {
  std::array<Point, 4> corners;
  std::string words;
};

/// Returns whether two boxes, turned as they may be, have more than their edges in common.
bool overlap(const TextBox& a, const TextBox& b);

/// Canvas that draws nothing, to measure on and to learn where texts are.
class TextBoxes : public Canvas {
 public:
  const std::vector<TextBox>& boxes() const { return boxes_; }
  /// Returns the y of the lowest corner; 0 without texts.
  double lowest() const;

  void fill(const std::vector<Polyline>&, const Colour&) override {}
  void stroke(const std::vector<Polyline>&, const Pen&) override {}
  void text(Point anchor, const std::string& words, const TextStyle& style) override;
  void image(const Rect&, int, int, const std::vector<uint32_t>&) override {}
  Fields fields() const override { return Fields::none; }
  void tiles(const Tiles&) override {}
  void facets(const std::vector<Facet>&, double) override {}
  void clipped(const std::vector<Polyline>&, const std::function<void()>& draw) override { draw(); }
  void moved(Point origin, const std::function<void()>& draw) override;
  void scaled(double factor, const std::function<void()>& draw) override;

 private:
  std::vector<TextBox> boxes_;
  Point origin_;
  double factor_ = 1;
};

}  // namespace topograd::drawing
