// The directions a surface is spanned by.
#pragma once

#include <string>
#include <vector>

#include "apps/common/cli.h"
#include "apps/common/model_file.h"
#include "landscape/directions/direction_file.h"
#include "landscape/results/provenance.h"

namespace topograd {

struct SurfaceDirections {
  DirectionType type = DirectionType::weights;
  std::vector<Directions> planes;
  std::vector<uint64_t> seeds;   ///< of the planes, where there are several
  std::optional<uint64_t> seed;  ///< where something is random
  std::string x_text, y_text;    ///< "filter-normalised random direction"
  std::string file;              ///< that holds them, where there is one

  /// What they are, for a surface's file.
  void describe(Provenance& provenance) const;
};

/// A hash of all of them.
std::string directions_hash(const std::vector<Directions>& planes);

/// The way from a model to the one in the file `path`, as it is: 1 is that model. Throws Error
/// where that is another kind of network.
Direction direction_to(const LoadedModel& model, const std::string& path, DirectionType type);

/// The directions in --dir-file; of a line, x alone.
SurfaceDirections directions_in_file(const std::string& path, const LoadedModel& model,
                                     DirectionType type, bool line);

/// What --norm, --ignore, --seed, --seeds, --idx, --dir-type, --to and --dir-file ask for; a line
/// has no y. Reads --dir-file where it is there, writes it where it is not.
SurfaceDirections surface_directions(const cxxopts::ParseResult& flags, const LoadedModel& model,
                                     DirectionType type, bool line, bool may_write);

}  // namespace topograd
