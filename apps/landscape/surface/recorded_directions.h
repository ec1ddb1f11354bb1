// The directions of a surface that was computed earlier.
#pragma once

#include <string>

#include "apps/common/model_file.h"
#include "apps/landscape/surface/direction_flags.h"
#include "landscape/surface/surface.h"

namespace topograd {

/// From `dir_file`, or where that is empty from the file that the surface names, or made again by
/// its command; known by their hash to be the same. `path` is the surface's file, for messages.
/// Throws Error for a surface of another network, for a mean over several planes, and where the
/// directions cannot be had.
SurfaceDirections directions_of_surface(const Surface& surface, const std::string& path,
                                        const LoadedModel& model, const std::string& dir_file);

}  // namespace topograd
