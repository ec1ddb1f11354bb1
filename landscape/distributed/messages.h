// Messages between ranks that compute a surface together.
#pragma once

#include <string>
#include <vector>

#include "landscape/evaluation/evaluation.h"

namespace topograd {

/// A point of the surface and its position. Rank zero sends the position, so that all ranks compute
/// bitwise the same one, even if the axes come from a file.
struct GridPoint {
  int64_t point;
  PlanePosition position;
};

enum class RankMessageKind : int64_t {
  want,    ///< request to rank zero for up to `count` more points
  points,  ///< reply of rank zero: points to compute; none: there are no more
  result,  ///< a point's sums on all planes, to rank zero
  done,    ///< last message of a rank to rank zero
  failed,  ///< last message of a rank to rank zero, because of `error`
  stop,    ///< order of rank zero to begin nothing more
};

struct RankMessage {
  RankMessageKind kind = RankMessageKind::done;
  int64_t count = 0;
  std::vector<GridPoint> points{};
  int64_t point = 0;
  std::vector<PointSums> planes{};
  std::string error{};
};

/// Serialises a message, or deserialises it, between processes of one program on machines of one
/// kind. unpacked() throws Error for a truncated message.
std::string packed(const RankMessage& message);
RankMessage unpacked(const std::string& bytes);

}  // namespace topograd
