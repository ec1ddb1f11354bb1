// The directions of a surface that was computed earlier.
#pragma once

#include <string>

#include "landscape/directions/surface_directions.h"
#include "landscape/surface/surface.h"

namespace topograd {

/// Returns the directions of a surface, read from `dir_file`, or where that is empty from the file
/// that the surface names, or made again by the recipe in its file; their hash has to be the
/// surface's. `path` is the surface's file, for messages. Throws Error for a surface of another
/// network, for a mean over several planes, and where the directions cannot be had.
SurfaceDirections directions_of_surface(const Surface& surface, const std::string& path,
                                        const LoadedModel& model, const std::string& dir_file);

}  // namespace topograd
