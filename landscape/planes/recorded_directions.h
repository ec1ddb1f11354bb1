// The directions of a surface that was computed earlier.
#pragma once

#include <string>

#include "landscape/directions/surface_directions.h"
#include "landscape/surface/surface.h"

namespace topograd {

/// Returns the directions of a surface: read from `dir_file` or, if that is empty, from the file
/// that the surface names, or made again by the recipe in its file. `path` is the surface's file.
/// Throws Error for a surface of another network or a mean over several planes, and if the
/// directions cannot be made or their hash is not the surface's.
SurfaceDirections directions_of_surface(const Surface& surface, const std::string& path,
                                        const LoadedModel& model, const std::string& dir_file);

}  // namespace topograd
