// DirectionRecipe: how a surface's directions were made, kept in its file to make them again.
#pragma once

#include <string>
#include <variant>

#include "kernels/core/device.h"
#include "landscape/planes/eigenvector_plane.h"
#include "landscape/planes/gradient_plane.h"
#include "landscape/planes/network_plane.h"
#include "landscape/planes/random_directions.h"
#include "landscape/trajectory/trajectory_plane.h"

namespace topograd {

using DirectionRecipe = std::variant<RandomDirections, DirectionsInFile, NetworkPlane,
                                     EigenvectorPlane, GradientPlane, PrincipalPlane>;

/// Returns the recipe as JSON on one line: {"kind": "random", "seed": 1, ...}. Paths are kept as
/// given.
std::string to_json(const DirectionRecipe& recipe);

/// Reads the JSON of a recipe. Throws Error if it is none.
DirectionRecipe direction_recipe(const std::string& json);

/// Makes the directions of a surface through the model; a gradient is computed again on `device`.
/// Throws Error if a file that they depend on is gone, or is of another network.
SurfaceDirections make_directions(const DirectionRecipe& recipe, const LoadedModel& model,
                                  Device device);

}  // namespace topograd
