// The directions a surface is spanned by.
#pragma once

#include <string>
#include <vector>

#include "apps/cli.h"
#include "apps/model_file.h"
#include "landscape/direction_file.h"
#include "landscape/provenance.h"

namespace topograd {

struct SurfaceDirections {
  DirectionType type = DirectionType::weights;
  std::vector<Directions> planes;
  std::vector<uint64_t> seeds;  ///< of the planes, where there are several
  std::string x_text, y_text;   ///< "filter-normalised random direction"

  /// What they are, for a surface's file.
  void describe(Provenance& provenance) const;
};

/// What --norm, --ignore, --seed, --seeds, --idx, --dir-type, --to and --dir-file ask for; a line
/// has no y. Reads --dir-file where it is there, writes it where it is not.
SurfaceDirections surface_directions(const cxxopts::ParseResult& flags, const LoadedModel& model,
                                     DirectionType type, bool line, bool may_write);

}  // namespace topograd
