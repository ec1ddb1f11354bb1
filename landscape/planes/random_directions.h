// Random directions from a network, or directions towards other networks.
#pragma once

#include <optional>
#include <string>

#include "landscape/directions/surface_directions.h"

namespace topograd {

/// How the direction of one axis is made.
struct RandomAxis {
  DirectionNorm norm = DirectionNorm::filter;
  Ignore ignore = Ignore::biasbn;
  std::string
      towards{};  ///< another network's file: the direction leads there, and nothing is random
};

struct RandomDirections {
  uint64_t seed = 1;
  int64_t seeds = 1;  ///< planes, of the seeds from `seed` on
  uint32_t pair = 0;   ///< which pair of directions of a seed
  RandomAxis x{};
  std::optional<RandomAxis> y = RandomAxis{};  ///< empty: a line
  bool same = false;                           ///< y is the direction x
  DirectionType type = DirectionType::weights;
  /// A checkpoint of the same network whose weights the directions are scaled to; empty: the
  /// surface's own network.
  std::string drawn_at{};
  /// A file of directions: it is read where it is there, and written where it is not.
  std::string file{};
};

/// Makes (or reads) the directions from a model. Writes the file only where `may_write`: of several
/// processes one does. Throws Error where the settings contradict one another, or another network
/// is of another kind.
SurfaceDirections random_directions(const RandomDirections& settings, const LoadedModel& model,
                                    bool may_write = true);

}  // namespace topograd
