#include "landscape/directions/grid.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>

#include "kernels/core/check.h"
#include "kernels/core/format.h"

namespace topograd {

namespace {

constexpr int64_t kMaxAxisPoints = 1'000'000;
constexpr double kFarthest = 1e100;  // so that coordinates() cannot overflow

/// Reads all of `text` as one number; returns false if it is anything else.
template <class T>
bool read_number(std::string_view text, T& value) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  // A number out of T's range then fails parse_axis()'s limits, with their message.
  if (error == std::errc::result_out_of_range)
    value = std::numeric_limits<T>::max();
  else if (error != std::errc{})
    return false;
  return stopped == end;
}

}  // namespace

std::vector<double> Axis::coordinates() const {
  std::vector<double> result(static_cast<size_t>(points), from);
  const int64_t last = points - 1;
  // Whole-number weights of both ends are bitwise symmetric, unlike from + i * step.
  for (int64_t i = 1; i < last; ++i)
    result[static_cast<size_t>(i)] =
        (from * static_cast<double>(last - i) + to * static_cast<double>(i)) /
        static_cast<double>(last);
  if (last > 0) result.back() = to;
  return result;
}

Axis covering_axis(const std::vector<double>& values, double margin, int64_t points) {
  double low = 0, high = 0;
  for (double v : values) {
    low = std::min(low, v);
    high = std::max(high, v);
  }
  const double length = high - low + 2 * margin;
  if (!(length > 0)) return {-1, 1, points};
  const double unit = std::pow(10, std::floor(std::log10(length))) / 20;
  return {unit * std::floor((low - margin) / unit), unit * std::ceil((high + margin) / unit),
          points};
}

void check_axis(std::string_view what, const Axis& axis) {
  for (const double end : {axis.from, axis.to})
    require(std::abs(end) <= kFarthest, what, ": ", end, " is not finite");
  const std::string from = shortest(axis.from), to = shortest(axis.to);
  require(axis.points >= 1, what, " has no points: ask for at least one");
  require(axis.points <= kMaxAxisPoints, what, " has more than ", kMaxAxisPoints,
          " points: ask for fewer");
  require(axis.from <= axis.to, what, " runs backwards: write ", to, ":", from, ":", axis.points);
  require(axis.points > 1 || axis.from == axis.to, what, " has one point for two ends: write ",
          from, ":", to, ":2 or ", from, ":", from, ":1");
  require(axis.points == 1 || axis.from < axis.to, what, " has the same point many times: write ",
          from, ":", to, ":1");
}

Axis parse_axis(std::string_view option, std::string_view text) {
  require(!text.empty(), option, " is empty: write FROM:TO:POINTS, such as -1:1:51");
  const size_t first = text.find(':');
  const size_t second = first == text.npos ? text.npos : text.find(':', first + 1);
  require(second != text.npos, option, "=", text, " is not FROM:TO:POINTS: write such as -1:1:51");
  const std::string_view from = text.substr(0, first);
  const std::string_view to = text.substr(first + 1, second - first - 1);
  const std::string_view points = text.substr(second + 1);

  Axis axis;
  const std::string typed = topograd::text(option, '=', text);
  for (auto [part, value] : {std::pair{from, &axis.from}, std::pair{to, &axis.to}}) {
    require(read_number(part, *value), typed, ": '", part, "' is not a number");
    require(std::abs(*value) <= kFarthest, typed, ": ", part, " is not finite");
  }
  require(read_number(points, axis.points), typed, ": '", points,
          "' is not a whole number of points");
  check_axis(typed, axis);
  return axis;
}

}  // namespace topograd
