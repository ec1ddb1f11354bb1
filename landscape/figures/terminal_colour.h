// Colours of text in a terminal, as escape sequences (ECMA-48's SGR).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "landscape/figures/colour_map.h"

namespace topograd {

/// none: plain text. palette: the 256 colours that terminals agree on. full: 24 bits.
enum class TerminalColours { none, palette, full };

/// The nearest of the palette's colours 16 to 255: a cube of 6x6x6 and 24 greys. The first 16 are
/// the user's own theme.
int palette_index(const Colour& colour);

/// One line of coloured text. A colour is written where it changes, and the line ends without any.
class TerminalLine {
 public:
  explicit TerminalLine(TerminalColours colours) : colours_(colours) {}

  /// Words in a colour on a ground; none: the terminal's own.
  void write(std::string_view words, const std::optional<Colour>& colour = {},
             const std::optional<Colour>& ground = {});
  /// The line, of which nothing stays behind here.
  std::string take();

 private:
  TerminalColours colours_;
  std::string line_;
  std::string shown_;  // the sequence that is in force
};

/// The first `columns` characters of UTF-8 text without escapes, of which none is wide or
/// combining.
std::string shortened(const std::string& words, int columns);
/// How many characters those are.
int columns_of(const std::string& words);

}  // namespace topograd
