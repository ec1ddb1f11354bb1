// The pictures of a computed surface.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/cli.h"
#include "landscape/figures/figure.h"
#include "landscape/surface.h"

namespace topograd {

struct PictureOptions {
  std::optional<Scale> scale = Scale::linear;  ///< none: what the range of the values asks for
  std::optional<double> value_min, value_max;
  std::string title;
  std::string unfinished = {};  ///< behind the subtitle: "5x5 of 51x51 points so far"
  std::string note = {};        ///< a line under the subtitle
  FigureMarks marks = {};
};

/// --log, --linear, --vmin, --vmax and --title; `scale` where neither of the first two is there.
PictureOptions picture_options(const cxxopts::ParseResult& flags, std::optional<Scale> scale);

/// A loss twice over one axis.
struct TwoCurves {
  std::vector<double> x, first, second;
  std::string x_label, first_name, second_name;
};
/// Draws them, .svg or .png as the path says, with the surface's title and provenance; returns the
/// path.
std::string draw_two_curves(const TwoCurves& curves, const Surface& surface,
                            const std::string& path, const PictureOptions& options);

/// Draws <stem>_contours and <stem>_heat (a grid) or <stem>_curves (a line), each as .svg and .png.
/// Returns their paths.
std::vector<std::string> draw_pictures(const Surface& surface, const std::string& stem,
                                       const PictureOptions& options);

}  // namespace topograd
