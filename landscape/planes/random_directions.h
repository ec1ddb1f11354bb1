// Random directions from a network, or directions towards other networks.
#pragma once

#include <optional>
#include <string>

#include "landscape/directions/surface_directions.h"

namespace topograd {

/// Settings of the direction of one axis.
struct RandomAxis {
  DirectionNorm norm = DirectionNorm::filter;
  Ignore ignore = Ignore::biasbn;
  std::string towards{};  ///< file of a network that the direction leads to; empty: it is random
};

struct RandomDirections {
  uint64_t seed = 1;
  int64_t seeds = 1;  ///< number of planes, one per seed from `seed` on
  uint32_t pair = 0;  ///< number of the pair of directions of a seed, from 0
  RandomAxis x{};
  std::optional<RandomAxis> y = RandomAxis{};  ///< nullopt: a line
  bool same = false;                           ///< y is the direction x
  DirectionType type = DirectionType::weights;
  /// Checkpoint of the same network to whose weights the directions are scaled; empty: the
  /// surface's network.
  std::string drawn_at{};
  /// Direction file, read if it exists, else written; empty: none.
  std::string file{};
};

/// Makes (or reads) the directions from a model. Writes the file only if `may_write`: one of
/// several processes does. Throws Error if the settings contradict one another, or another network
/// is of another kind.
SurfaceDirections random_directions(const RandomDirections& settings, const LoadedModel& model,
                                    bool may_write = true);

}  // namespace topograd
