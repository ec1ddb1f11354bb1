// DirectionRecipe: how the directions of a surface were made, kept in its file to make them again.
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

/// Returns the recipe as JSON, on one line: {"kind": "random", "seed": 1, ...}. Paths stand in it as
/// they were given.
std::string to_json(const DirectionRecipe& recipe);

/// Reads it again. Throws Error where it is not a recipe.
DirectionRecipe direction_recipe(const std::string& json);

/// Makes the directions of a surface through the model. A gradient is computed once more, on that
/// device. Throws Error where a file that they depend on is gone, or is of another network.
SurfaceDirections make_directions(const DirectionRecipe& recipe, const LoadedModel& model,
                                  Device device);

}  // namespace topograd
