// The pictures of a computed surface.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "landscape/figure.h"
#include "landscape/surface.h"

namespace topograd {

struct PictureOptions {
  Scale scale = Scale::linear;
  std::optional<double> value_min, value_max;
  std::string title;
};

/// Draws <stem>_contours and <stem>_heat (a grid) or <stem>_curves (a line), each as .svg and .png.
/// Returns their paths.
std::vector<std::string> draw_pictures(const Surface& surface, const std::string& stem,
                                       const PictureOptions& options);

}  // namespace topograd
