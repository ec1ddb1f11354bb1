// The directions a surface is spanned by.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "landscape/directions/direction_file.h"
#include "landscape/results/provenance.h"
#include "models/loaded_model.h"

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

/// Returns a hash of all of them, as text.
std::string directions_hash(const std::vector<Directions>& planes);

/// Returns the way from a model to the one in the file `path`, as it is: 1 is that model. Throws Error
/// where that is another kind of network.
Direction direction_to(const LoadedModel& model, const std::string& path, DirectionType type);

/// Returns the directions in a file; of a line, x alone. Throws Error where they are for another
/// network, or one is missing.
SurfaceDirections directions_in_file(const std::string& path, const LoadedModel& model,
                                     DirectionType type, bool line);

}  // namespace topograd
