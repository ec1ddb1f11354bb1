// The directions that span a surface.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "landscape/directions/direction_file.h"
#include "landscape/directions/grid.h"
#include "landscape/results/provenance.h"
#include "models/loaded_model.h"

namespace topograd {

struct SurfaceDirections {
  /// A network that lies on the plane.
  struct PlacedNetwork {
    std::string name;
    double x, y;
  };

  DirectionType type = DirectionType::weights;
  std::vector<Directions> planes;         ///< one; several where a surface is a mean over them
  std::vector<uint64_t> seeds{};          ///< of the planes, where there are several
  std::optional<uint64_t> seed{};         ///< where something is random
  std::string x_text{}, y_text{};         ///< "filter-normalised random direction"
  std::string file{};                     ///< that holds them, where there is one
  std::string recipe{};                   ///< how they are made again, JSON: see DirectionRecipe
  Axis x_axis{}, y_axis{};                ///< the part of the plane that is worth a look
  std::vector<PlacedNetwork> networks{};  ///< that the plane was laid through; the first is (0, 0)
  bool joins_networks = false;  ///< a line whose 0 and 1 are networks: there is a barrier between

  bool is_line() const { return !planes.front().y.has_value(); }
  /// Describes them in a surface's file.
  void describe(Provenance& provenance) const;
};

/// Returns a hash of all directions, as text.
std::string directions_hash(const std::vector<Directions>& planes);

/// Returns the way from a model to the one in the file `path`, as it is: 1 is that model. Throws Error
/// where that is another kind of network.
Direction direction_to(const LoadedModel& model, const std::string& path, DirectionType type);

struct DirectionsInFile {
  std::string file;
  DirectionType type = DirectionType::weights;
  bool line = false;  ///< x alone is wanted
};

/// Reads the directions. Throws Error where they are for another network, or one is missing.
SurfaceDirections directions_in_file(const DirectionsInFile& settings, const LoadedModel& model);

/// Returns the settings as they are kept in a surface's file, JSON on one line: see DirectionRecipe.
std::string recipe_of(const DirectionsInFile& settings);

}  // namespace topograd
