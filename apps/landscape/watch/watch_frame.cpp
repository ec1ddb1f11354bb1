#include "apps/landscape/watch/watch_frame.h"

#include <algorithm>

namespace topograd {

namespace {

constexpr int kLeastPicture = 3;  // rows; the words are dropped before it gets smaller

TerminalField field_of(const Surface& surface, const std::string& plane) {
  TerminalField field{surface.x(), surface.y(), surface.plane(plane), {}};
  for (int64_t point = 0; point < surface.points(); ++point)
    field.done.push_back(surface.done(point) ? 1 : 0);
  return field;
}

}  // namespace

std::vector<std::string> frame_lines(const Surface& surface, const WatchFrame& frame,
                                     TerminalColours colours, TerminalSize size) {
  const TerminalField field = field_of(surface, frame.plane);
  const drawing::ValueScale scale(field.values, frame.look);
  const ColourMap map = frame.look.colours;

  std::vector<std::string> under;
  constexpr int kLongestBar = 60;
  const std::string bar =
      terminal_colour_bar(scale, map, colours, std::min(size.columns, kLongestBar));
  if (!bar.empty()) under.push_back(bar);
  for (const std::string& words : frame.words) under.push_back(shortened(words, size.columns));
  const std::string key = terminal_key(field, scale, map, colours, size.columns);
  if (!key.empty()) under.push_back(key);
  const int room = std::max(size.rows - 1 - kLeastPicture, 0);
  if (under.size() > static_cast<size_t>(room)) under.resize(static_cast<size_t>(room));

  std::vector<std::string> lines;
  if (size.rows > 1) lines.push_back(shortened(frame.title, size.columns));
  const int rows = size.rows - static_cast<int>(lines.size() + under.size());
  const std::vector<std::string> picture =
      terminal_picture(field, scale, map, colours, {size.columns, rows});
  lines.insert(lines.end(), picture.begin(), picture.end());
  lines.insert(lines.end(), under.begin(), under.end());
  return lines;
}

}  // namespace topograd
