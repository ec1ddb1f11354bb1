// What the tests of exports share: a surface that nothing symmetric hides in.
#pragma once

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "kernels/core/numbers.h"
#include "landscape/surface/surface.h"

namespace topograd::test {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Whether two lists are the same bits; any NaN equals any other.
inline bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) && std::isnan(b[i])) continue;
    if (std::bit_cast<uint64_t>(a[i]) != std::bit_cast<uint64_t>(b[i])) return false;
  }
  return true;
}

/// 4 x 3 points, spaced unevenly on x; every value its own: 0.1 + ix + 10 iy, an accuracy beside
/// it. Point (1, 2) is to do.
inline Surface lopsided() {
  Surface surface({-1, -0.3, 0.4, 2}, {0.5, 1, 1.5});
  std::vector<double> loss, accuracy;
  for (int iy = 0; iy < 3; ++iy)
    for (int ix = 0; ix < 4; ++ix) {
      loss.push_back(0.1 + ix + 10 * iy);
      accuracy.push_back(99.0 / (1 + ix + 4 * iy));
    }
  loss[9] = accuracy[9] = kNan;
  surface.add_plane("train_loss") = loss;
  surface.add_plane("train_acc") = accuracy;
  for (int64_t i = 0; i < 12; ++i)
    if (i != 9) surface.mark_done(i);
  surface.provenance = {{"command", "landscape surface \"a b\" <x> & \xC3\xA9\nnext"},
                        {"seed", "3"}};
  surface.dir_file = "directions.h5";
  return surface;
}

/// Returns that surface with a loss that is infinite at (3, 0) and one that is NaN, although done,
/// at (0, 1).
inline Surface with_holes() {
  Surface surface = lopsided();
  surface.add_plane("train_loss")[3] = kInfinity;
  surface.add_plane("train_loss")[4] = kNan;
  return surface;
}

/// A number of a file's bytes.
template <class T>
T number_at(const std::string& bytes, size_t offset) {
  REQUIRE(offset + sizeof(T) <= bytes.size());
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

template <class T>
std::vector<T> numbers_in(const std::string& bytes) {
  REQUIRE(bytes.size() % sizeof(T) == 0);
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t begin = 0, end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1)
    lines.push_back(text.substr(begin, end - begin));
  return lines;
}

}  // namespace topograd::test
