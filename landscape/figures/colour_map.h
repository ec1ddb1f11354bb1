// Colours for numbers: viridis, perceptually uniform and legible to the colour-blind and in print.
#pragma once

#include <cstdint>

namespace topograd {

/// Red, green, blue, opacity; each in [0, 1], sRGB.
struct Colour {
  double red = 0;
  double green = 0;
  double blue = 0;
  double opacity = 1;
};

/// viridis (Smith & van der Walt, 2015, CC0) at t in [0, 1], dark blue to yellow, lightness rising
/// evenly; t outside is clamped. Matt Zucker's polynomial of degree 6 (shadertoy.com/view/WlfXRN,
/// CC0) stands for the table of 256 entries: within 3/255 of it nearly everywhere.
Colour viridis(double t);

/// viridis mixed with white: a ground that black lines and small type stay legible on.
Colour light_viridis(double t);

/// `share` of `a` and the rest of `b`.
Colour mixed(const Colour& a, const Colour& b, double share);

/// Premultiplied 0xAARRGGBB, as image surfaces hold it.
uint32_t packed(const Colour& colour);

}  // namespace topograd
