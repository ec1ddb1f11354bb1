// Pictures in a terminal: a plane of values as half-block characters, a line as a curve of blocks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "landscape/figures/scale.h"
#include "landscape/figures/terminal/terminal_colour.h"

namespace topograd {

/// Values of a surface that may be unfinished. Axes may have one point, or fall: the points of one
/// that does not rise strictly are drawn evenly spaced, in their order.
struct TerminalField {
  std::vector<double> x;
  std::vector<double> y;       ///< empty for a line
  std::vector<double> values;  ///< [ny, nx]; NaN and infinity are values
  std::vector<uint8_t> done;   ///< [ny, nx]; 0: to do
};

/// Size that a picture may have, in characters; at least 1 each.
struct TerminalSize {
  int columns = 80;
  int rows = 24;
};

/// Returns a line of text for each row of the terminal, the largest y (a curve's largest value)
/// first, without line ends. A field has equal units on both axes as in the other figures, a
/// character counting as twice as high as wide. A character shows two points of the picture;
/// without colours one, as a character of " .:-=+*#%@". Where several points fall on one of the
/// picture, it shows their mean. Points to do are a dark pattern, NaN a grey one, infinity a red
/// one; without colours and in curves '·', '?' and '!'. Values above the scale are off_scale() or
/// '^'.
std::vector<std::string> terminal_picture(const TerminalField& field,
                                          const drawing::ValueScale& scale, ColourMap map,
                                          TerminalColours colours, TerminalSize size);

/// Returns the scale from its low to its high end, at most `columns` wide:
/// "0.0123 ▀▀▀▀▀▀▀▀ 9.87 log".
std::string terminal_colour_bar(const drawing::ValueScale& scale, ColourMap map,
                                TerminalColours colours, int columns);

/// Returns the key of the patterns that the field has, "▀ to do  ▀ NaN"; at most `columns` wide,
/// empty if all points are done and finite.
std::string terminal_key(const TerminalField& field, const drawing::ValueScale& scale,
                         ColourMap map, TerminalColours colours, int columns);

}  // namespace topograd
