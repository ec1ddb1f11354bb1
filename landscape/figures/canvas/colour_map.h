// Colours for numbers: perceptually uniform maps, legible to the colour-blind and in grey.
#pragma once

#include <cstdint>
#include <string>

namespace topograd {

/// Colour in sRGB with opacity, each component in [0, 1].
struct Colour {
  double red = 0;
  double green = 0;
  double blue = 0;
  double opacity = 1;
};
constexpr Colour kWhite{1, 1, 1, 1};

/// Colour maps from dark to light, lightness rising evenly. viridis (dark blue to yellow) and magma
/// (black to cream): Smith & van der Walt, 2015; cividis (blue to yellow, the same to readers who
/// cannot tell red from green): Nunez, Anderton & Renslow, 2018. All CC0.
enum class ColourMap { viridis, magma, cividis };

/// Returns the map of this name. Throws Error, which lists them, for any other.
ColourMap colour_map_named(const std::string& name);

/// Returns the colour at t in [0, 1]; t outside is clamped, NaN is 0. Every eighth entry of the
/// map's table of 256 is interpolated linearly: within 2/255 of it, cividis' blue within 6/255.
Colour colour_at(ColourMap map, double t);

/// Returns the colour at t mixed with white, on which black lines and small type stay legible.
Colour light_colour_at(ColourMap map, double t);

/// Returns a colour that is not on the map, for values beyond the end of a scale.
Colour off_scale(ColourMap map);
Colour light_off_scale(ColourMap map);

/// Returns a mixture: `share` of `a` and the rest of `b`.
Colour mixed(const Colour& a, const Colour& b, double share);

/// Returns premultiplied 0xAARRGGBB, as cairo's image surfaces hold it.
uint32_t packed(const Colour& colour);

}  // namespace topograd
