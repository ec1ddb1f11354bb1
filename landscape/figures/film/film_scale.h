// Which frames of a film set the scale of all.
#pragma once

#include <vector>

namespace topograd {

/// Smallest and largest finite value of a frame.
struct FrameRange {
  double low, high;
};

/// Returns for each frame whether it stands apart from the others, and so should not set the scale of
/// all: its largest value lies above the frames' median by more than five times the median distance
/// from it, and by more than a factor of two; or its smallest value so far below. Distances are of
/// logarithms, where all are above 0; else of the values, and the factor of two is the frames' median
/// extent. Of fewer than three frames none does.
std::vector<bool> frames_apart(const std::vector<FrameRange>& frames);

}  // namespace topograd
