// Colours for numbers: perceptually uniform maps, legible to the colour-blind and in grey.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace topograd {

/// Colour in sRGB with opacity, each component in [0, 1].
struct Colour {
  double red = 0;
  double green = 0;
  double blue = 0;
  double opacity = 1;
};
constexpr Colour kWhite{1, 1, 1, 1};

/// Colour maps from dark to light, lightness rising evenly. viridis (dark blue to yellow), magma
/// (violet to cream) and plasma (blue to yellow): Smith & van der Walt, 2015; cividis (blue to
/// yellow, the same to readers who cannot tell red from green): Nunez, Anderton & Renslow, 2018; all
/// CC0. greys: for print without colours. And one that diverges, lightest in the middle: coolwarm
/// (blue, white, red): Moreland, 2009.
enum class ColourMap { viridis, magma, plasma, cividis, greys, coolwarm };

/// Returns the names of all maps.
std::vector<std::string> colour_map_names();
/// Returns the map of this name. Throws Error, which lists them, for any other.
ColourMap colour_map_named(const std::string& name);
/// Returns whether the map has a middle, which stands for 0 where values have both signs.
bool diverges(ColourMap map);

/// Returns the colour at t in [0, 1]; t outside is clamped, NaN is 0. Every eighth entry of the
/// map's table of 256 is interpolated linearly: within 2/255 of it, cividis' blue within 6/255. The
/// table begins at darkest(): half a plane lies at the low end, and would be nearly black.
Colour colour_at(ColourMap map, double t);
/// Returns the place in the map's published table, 0 to 1, of the colour at 0.
double darkest(ColourMap map);

/// Returns how light a colour looks, 0 to 100 (L* of CIELAB).
double lightness(const Colour& colour);
/// Returns the ink, dark or white, that is legible on a colour.
Colour ink_on(const Colour& ground);

/// Returns a colour that is not on the map, for values beyond the end of a scale.
Colour off_scale(ColourMap map);

/// Returns a mixture: `share` of `a` and the rest of `b`.
Colour mixed(const Colour& a, const Colour& b, double share);

/// Returns premultiplied 0xAARRGGBB, as cairo's image surfaces hold it.
uint32_t packed(const Colour& colour);

}  // namespace topograd
