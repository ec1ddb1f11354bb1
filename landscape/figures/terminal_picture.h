// Pictures in a terminal: a plane of values as half-block characters, a line as a curve of blocks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "landscape/figures/scale.h"
#include "landscape/figures/terminal_colour.h"

namespace topograd {

/// Values that may still be in the making. Axes may have one point, or fall: where one does not
/// rise strictly, its points are drawn evenly spaced, in their order.
struct TerminalField {
  std::vector<double> x;
  std::vector<double> y;       ///< empty for a line
  std::vector<double> values;  ///< [ny, nx]; NaN and infinity are values
  std::vector<uint8_t> done;   ///< [ny, nx]; 0: to do
};

/// How wide and high a picture may be, in characters; at least 1 each.
struct TerminalSize {
  int columns = 80;
  int rows = 24;
};

/// A line of text for each row of the terminal, the largest y (of a curve: value) first, without
/// line ends. A field has equal units on both axes as in the other figures, taking a character for
/// twice as high as wide, and two points of the picture in each character; without colours one
/// character from " .:-=+*#%@". Where several points fall on one of the picture, it shows their
/// mean. Points to do are a dark pattern, NaN a grey one, infinity a red one; without colours and
/// in curves '·', '?' and '!'. What is above the scale is off_scale() or '^'.
std::vector<std::string> terminal_picture(const TerminalField& field,
                                          const drawing::ValueScale& scale, ColourMap map,
                                          TerminalColours colours, TerminalSize size);

/// "0.0123 ▀▀▀▀▀▀▀▀ 9.87 log": the scale from its low to its high end, at most `columns` wide.
std::string terminal_colour_bar(const drawing::ValueScale& scale, ColourMap map,
                                TerminalColours colours, int columns);

/// What the patterns stand for, of those that the field has: "▀ to do  ▀ NaN"; at most `columns`
/// wide, empty where all is done and finite.
std::string terminal_key(const TerminalField& field, const drawing::ValueScale& scale,
                         ColourMap map, TerminalColours colours, int columns);

}  // namespace topograd
