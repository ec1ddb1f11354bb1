// What ranks tell each other while they compute a surface.
#pragma once

#include <string>
#include <vector>

#include "landscape/evaluation/evaluation.h"

namespace topograd {

/// A point of the surface and where it lies. The leader sends positions along, so that all ranks
/// compute the same ones to the bit, wherever the file's axes came from.
struct GridPoint {
  int64_t point;
  PlanePosition position;
};

enum class RankMessageKind : int64_t {
  want,    ///< to the leader: up to `count` more points
  points,  ///< from the leader: some to compute; none: there are no more
  result,  ///< to the leader: a point's sums on all planes
  done,    ///< to the leader: nothing more will come from this rank
  failed,  ///< to the leader: likewise, and why
  stop,    ///< from the leader: begin nothing more
};

struct RankMessage {
  RankMessageKind kind = RankMessageKind::done;
  int64_t count = 0;
  std::vector<GridPoint> points{};
  int64_t point = 0;
  std::vector<PointSums> planes{};
  std::string error{};
};

/// As bytes and back, between processes of one program on machines of one kind.
std::string packed(const RankMessage& message);
RankMessage unpacked(const std::string& bytes);

}  // namespace topograd
