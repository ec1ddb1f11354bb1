// Animated GIF (CompuServe, GIF89a, 1990), by giflib.
#pragma once

#include <string>
#include <vector>

#include "landscape/figures/cairo_canvas.h"

namespace topograd::drawing {

/// A file's bytes, of opaque frames of one size; after `hundredths` of a second the next one
/// follows, after the last one the first. `hundredths` has a number for each.
std::string gif_bytes(const std::vector<Pixels>& frames, const std::vector<int>& hundredths);

}  // namespace topograd::drawing
