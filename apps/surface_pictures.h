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
  std::string note = {};  ///< behind the subtitle: "5x5 of 51x51 points so far"
};

/// Draws <stem>_contours and <stem>_heat (a grid) or <stem>_curves (a line), each as .svg and .png.
/// Returns their paths.
std::vector<std::string> draw_pictures(const Surface& surface, const std::string& stem,
                                       const PictureOptions& options);

}  // namespace topograd
