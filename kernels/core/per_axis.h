// A number for each axis of an image: the extents of a kernel, a stride, a padding.
#pragma once

#include <iosfwd>

namespace topograd {

/// One number for the height and one for the width, written as one where they are the same:
/// {.stride = 2}, {.kernel = {1, 7}}.
struct PerAxis {
  int h = 0, w = 0;

  constexpr PerAxis() = default;
  constexpr PerAxis(int both) : h(both), w(both) {}
  constexpr PerAxis(int height, int width) : h(height), w(width) {}
  friend bool operator==(const PerAxis&, const PerAxis&) = default;
};
/// Prints "2", or "1x7" where the two differ.
std::ostream& operator<<(std::ostream& out, const PerAxis& numbers);

}  // namespace topograd
