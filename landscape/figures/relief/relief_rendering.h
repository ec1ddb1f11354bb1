// A relief as pixels: samples of what a camera sees of it, in the light that falls on it.
#pragma once

#include <vector>

#include "landscape/figures/canvas/canvas.h"
#include "landscape/figures/canvas/colour_map.h"
#include "landscape/figures/relief/relief_mesh.h"

namespace topograd::drawing {

inline constexpr double kLineShade = 0.45;  // light on lines, of that on the ground beside them

/// Returns the colour of ground of a fraction of the scale in this light; `shade`: the share of it
/// that arrives.
Colour lit_colour(ColourMap map, double fraction, double brightness, double gloss, double shade);

/// Rendering of a relief: samples, and from them pixels.
class ReliefRendering {
 public:
  /// Renders with so many pixels to a px.
  ReliefRendering(const ReliefMesh& relief, const Camera& camera, const Lit& light,
                  const Rect& area, double pixels);

  /// Draws the picture, with lines on the relief at these fractions of the scale.
  void draw(Canvas& canvas, const std::vector<double>& levels, ColourMap map) const;

 private:
  bool on_a_line(int column, int row, const std::vector<double>& levels) const;
  Colour colour_of(int column, int row, const std::vector<double>& levels, ColourMap map) const;

  Rect area_;
  double pixels_;
  DepthBuffer samples_;
};

}  // namespace topograd::drawing
