#include "landscape/figures/film/film_scale.h"

#include <algorithm>
#include <cmath>

namespace topograd {

namespace {

double median_of(std::vector<double> values) {
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

/// Marks the frames whose value is too far above the others'; with `sign` -1, below.
void mark_apart(std::vector<bool>& apart, const std::vector<double>& values, double margin,
                double sign) {
  const double median = median_of(values);
  std::vector<double> distances;
  for (const double value : values) distances.push_back(std::abs(value - median));
  const double allowed = std::max(5 * median_of(distances), margin);
  for (size_t i = 0; i < values.size(); ++i)
    if (sign * (values[i] - median) > allowed) apart[i] = true;
}

}  // namespace

std::vector<bool> frames_apart(const std::vector<FrameRange>& frames) {
  std::vector<bool> apart(frames.size());
  if (frames.size() < 3) return apart;
  const bool logarithms = std::all_of(frames.begin(), frames.end(),
                                      [](const FrameRange& frame) { return frame.low > 0; });
  std::vector<double> lows, highs, extents;
  for (const FrameRange& frame : frames) {
    lows.push_back(logarithms ? std::log(frame.low) : frame.low);
    highs.push_back(logarithms ? std::log(frame.high) : frame.high);
    extents.push_back(frame.high - frame.low);
  }
  const double margin = logarithms ? std::log(2.0) : median_of(extents);
  mark_apart(apart, highs, margin, 1);
  mark_apart(apart, lows, margin, -1);
  return apart;
}

}  // namespace topograd
