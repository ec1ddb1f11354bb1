#include "landscape/figures/canvas/canvas.h"
#include "kernels/core/numbers.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace topograd::drawing {

Polyline Rect::outline() const {
  return {{{left, top}, {right(), top}, {right(), bottom()}, {left, bottom()}}, true};
}

void Canvas::tiles(const Tiles& tiles) {
  const size_t columns = tiles.x.size() - 1;
  for (size_t i = 0; i < tiles.colours.size(); ++i) {
    const size_t row = i / columns, column = i % columns;
    const Rect tile{tiles.x[column], tiles.y[row], tiles.x[column + 1] - tiles.x[column],
                    tiles.y[row + 1] - tiles.y[row]};
    if (tiles.colours[i].opacity > 0) fill({tile.outline()}, tiles.colours[i]);
  }
}

void Canvas::facets(const std::vector<Facet>& facets, double line_width) {
  for (const Facet& facet : facets) {
    fill({{{facet.corners.begin(), facet.corners.end()}, true}}, facet.colour);
    for (const auto& line : facet.lines)
      stroke({{{line.begin(), line.end()}, false}},
             {.colour = facet.line_colour, .width = line_width});
  }
}

void Canvas::hatch(const std::vector<Polyline>& loops, const Pen& pen, double spacing) {
  double left = kInfinity, top = kInfinity, right = -kInfinity, bottom = -kInfinity;
  for (const Polyline& loop : loops)
    for (const Point& p : loop.points) {
      left = std::min(left, p.x), right = std::max(right, p.x);
      top = std::min(top, p.y), bottom = std::max(bottom, p.y);
    }
  if (!(left < right)) return;
  // The strokes x + y = k * spacing, in phase over the whole page.
  std::vector<Polyline> strokes;
  const double step = spacing * std::numbers::sqrt2;
  for (double sum = step * std::floor((left + top) / step); sum < right + bottom; sum += step)
    strokes.push_back({{{sum - bottom, bottom}, {sum - top, top}}, false});
  clipped(loops, [&] { stroke(strokes, pen); });
}

void Canvas::in_font(const std::string& family, const std::function<void()>& draw) {
  const std::string before = std::exchange(font_, family);
  draw();
  font_ = before;
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

}  // namespace topograd::drawing
