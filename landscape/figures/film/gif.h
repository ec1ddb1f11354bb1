// Animated GIF (CompuServe, GIF89a, 1990), by giflib.
#pragma once

#include <string>
#include <vector>

#include "landscape/figures/canvas/cairo_canvas.h"

namespace topograd::drawing {

/// Returns the bytes of an endlessly repeating GIF of opaque frames of one size. `hundredths` has
/// the duration of each frame, in hundredths of a second.
std::string gif_bytes(const std::vector<Pixels>& frames, const std::vector<int>& hundredths);

}  // namespace topograd::drawing
