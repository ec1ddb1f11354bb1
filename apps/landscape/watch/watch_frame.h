// One frame of landscape watch in a terminal.
#pragma once

#include <string>
#include <vector>

#include "landscape/figures/figure.h"
#include "landscape/figures/terminal/terminal_picture.h"
#include "landscape/surface/surface.h"

namespace topograd {

struct WatchFrame {
  std::string title = {};
  std::string plane = {};               ///< plane of the surface to show
  FigureOptions look = {};              ///< scale and colours
  std::vector<std::string> words = {};  ///< lines under the picture, the most important first
};

/// Returns title, picture, scale, key and words, at most size.rows lines of at most size.columns
/// characters; the picture takes the lines that the others leave. What does not fit is cut off.
std::vector<std::string> frame_lines(const Surface& surface, const WatchFrame& frame,
                                     TerminalColours colours, TerminalSize size);

}  // namespace topograd
