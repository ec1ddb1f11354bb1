// The axes of a landscape: "-1:1:51" is 51 evenly spaced points from -1 to 1.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace topograd {

/// Evenly spaced points on one axis, including both ends. One point needs from = to.
struct Axis {
  double from = -1;
  double to = 1;
  int64_t points = 51;

  /// Returns the coordinates of the points. The first and last are exactly `from` and `to`; an axis
  /// symmetric about 0 has exactly opposite halves and, if `points` is odd, exactly 0 in the
  /// middle, so that the trained network is one of the points.
  std::vector<double> coordinates() const;
  friend bool operator==(const Axis&, const Axis&) = default;
};

/// Returns an axis of so many points that covers all values and 0, with `margin` or a little more
/// on both sides: its ends are round numbers. The values must be finite.
Axis covering_axis(const std::vector<double>& values, double margin, int64_t points);

/// Throws Error unless the axis has finite ends, from < to and 2 to 1,000,000 points, or from = to
/// and one point. `what` begins the message: "--x=1:0:5".
void check_axis(std::string_view what, const Axis& axis);

/// Reads "FROM:TO:POINTS". `option` names the text's origin in messages: "--x". Throws Error as
/// check_axis() does, or for another text.
Axis parse_axis(std::string_view option, std::string_view text);

}  // namespace topograd
