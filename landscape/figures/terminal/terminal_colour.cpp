#include "landscape/figures/terminal/terminal_colour.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "kernels/core/check.h"

namespace topograd {

namespace {

constexpr std::array<int, 6> kCubeLevels = {0, 95, 135, 175, 215, 255};

std::array<int, 3> bytes_of(const Colour& colour) {
  const auto byte = [](double channel) {
    return static_cast<int>(std::lround(255 * std::clamp(channel, 0.0, 1.0)));
  };
  return {byte(colour.red), byte(colour.green), byte(colour.blue)};
}

int nearest_cube_level(int byte) {
  int best = 0;
  for (int i = 1; i < 6; ++i)
    if (std::abs(kCubeLevels[static_cast<size_t>(i)] - byte) <
        std::abs(kCubeLevels[static_cast<size_t>(best)] - byte))
      best = i;
  return best;
}

/// Returns "38;5;17" or "38;2;68;1;84"; `layer` is 38 for letters, 48 for the background.
std::string parameters(int layer, const Colour& colour, TerminalColours colours) {
  if (colours == TerminalColours::palette) return text(layer, ";5;", palette_index(colour));
  const std::array<int, 3> rgb = bytes_of(colour);
  return text(layer, ";2;", rgb[0], ";", rgb[1], ";", rgb[2]);
}

bool continues_a_character(char c) {
  return (static_cast<unsigned char>(c) & 0xc0) == 0x80;
}

}  // namespace

int palette_index(const Colour& colour) {
  const std::array<int, 3> wanted = bytes_of(colour);
  const auto distance = [&](int red, int green, int blue) {
    const int r = red - wanted[0], g = green - wanted[1], b = blue - wanted[2];
    return r * r + g * g + b * b;
  };
  const int r = nearest_cube_level(wanted[0]), g = nearest_cube_level(wanted[1]),
            b = nearest_cube_level(wanted[2]);
  int best = 16 + 36 * r + 6 * g + b;
  int least = distance(kCubeLevels[static_cast<size_t>(r)], kCubeLevels[static_cast<size_t>(g)],
                       kCubeLevels[static_cast<size_t>(b)]);
  for (int i = 0; i < 24; ++i) {
    const int grey = 8 + 10 * i;
    if (distance(grey, grey, grey) < least) {
      best = 232 + i;
      least = distance(grey, grey, grey);
    }
  }
  return best;
}

void TerminalLine::write(std::string_view words, const std::optional<Colour>& colour,
                         const std::optional<Colour>& ground) {
  if (colours_ != TerminalColours::none) {
    std::string wanted;  // begins with 0, which resets the sequence before it
    if (colour && ground)
      wanted = text("\033[0;", parameters(38, *colour, colours_), ";",
                    parameters(48, *ground, colours_), "m");
    else if (colour || ground)
      wanted =
          text("\033[0;", parameters(colour ? 38 : 48, colour ? *colour : *ground, colours_), "m");
    if (wanted != shown_) line_ += wanted.empty() ? "\033[0m" : wanted;
    shown_ = wanted;
  }
  line_ += words;
}

std::string TerminalLine::take() {
  if (!shown_.empty()) line_ += "\033[0m";
  shown_.clear();
  return std::exchange(line_, {});
}

std::string shortened(const std::string& words, int columns) {
  size_t end = 0;
  while (end < words.size() && columns > 0) {
    ++end;
    while (end < words.size() && continues_a_character(words[end])) ++end;
    --columns;
  }
  return words.substr(0, end);
}

int columns_of(const std::string& words) {
  return static_cast<int>(
      std::count_if(words.begin(), words.end(), [](char c) { return !continues_a_character(c); }));
}

}  // namespace topograd
