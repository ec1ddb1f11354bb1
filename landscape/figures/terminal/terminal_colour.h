// Colours of text in a terminal, as escape sequences (ECMA-48's SGR).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "landscape/figures/canvas/colour_map.h"

namespace topograd {

/// Colours of a terminal: none (plain text), the palette of 256 that terminals agree on, 24 bits.
enum class TerminalColours { none, palette, full };

/// Returns the nearest of the palette's colours 16 to 255: a cube of 6x6x6 and 24 greys. The first
/// 16 are the user's own theme.
int palette_index(const Colour& colour);

/// Line of coloured text. A colour is written where it changes, and reset at the line's end.
class TerminalLine {
 public:
  explicit TerminalLine(TerminalColours colours) : colours_(colours) {}

  /// Appends words in a colour on a background; nullopt: the terminal's own.
  void write(std::string_view words, const std::optional<Colour>& colour = {},
             const std::optional<Colour>& ground = {});
  /// Returns the line and clears it.
  std::string take();

 private:
  TerminalColours colours_;
  std::string line_;
  std::string shown_;  // the sequence that is in force
};

/// Returns the first `columns` characters of UTF-8 text without escapes, wide or combining
/// characters.
std::string shortened(const std::string& words, int columns);
/// Returns how many characters such a text has.
int columns_of(const std::string& words);

}  // namespace topograd
