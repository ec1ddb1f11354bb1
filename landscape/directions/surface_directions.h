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
  /// A network on the plane, at (x, y).
  struct PlacedNetwork {
    std::string name;
    double x, y;
  };

  DirectionType type = DirectionType::weights;
  std::vector<Directions> planes;         ///< one; several if a surface is a mean over them
  std::vector<uint64_t> seeds{};          ///< seeds of the planes, if there are several
  std::optional<uint64_t> seed{};         ///< seed of random directions
  std::string x_text{}, y_text{};         ///< "filter-normalised random direction"
  std::string file{};                     ///< direction file that holds them; empty: none
  std::string recipe{};                   ///< DirectionRecipe that makes them again, as JSON
  Axis x_axis{}, y_axis{};                ///< default axes of a surface
  std::vector<PlacedNetwork> networks{};  ///< networks that define the plane; the first is (0, 0)
  bool joins_networks = false;  ///< a line with networks at 0 and 1: it has a loss barrier

  bool is_line() const { return !planes.front().y.has_value(); }
  /// Sets the facts of the directions in a surface's provenance.
  void describe(Provenance& provenance) const;
};

/// Returns a hash of all directions, as text.
std::string directions_hash(const std::vector<Directions>& planes);

/// Returns the difference of the model in the file `path` and `model`, not normalised: 1 is that
/// model. Throws Error if it is another kind of network.
Direction direction_to(const LoadedModel& model, const std::string& path, DirectionType type);

struct DirectionsInFile {
  std::string file;
  DirectionType type = DirectionType::weights;
  bool line = false;  ///< read x alone
};

/// Reads the directions. Throws Error if they are for another network, or one is missing.
SurfaceDirections directions_in_file(const DirectionsInFile& settings, const LoadedModel& model);

/// Returns the settings as JSON on one line, as a surface's file keeps them: see DirectionRecipe.
std::string recipe_of(const DirectionsInFile& settings);

}  // namespace topograd
