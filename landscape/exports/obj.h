// Wavefront's OBJ, for Blender and other editors of meshes.
#pragma once

#include <string>

#include "landscape/exports/height_field.h"

namespace topograd {

/// Returns the open surface as quadrilaterals, scaled to `size` (its base is ignored) and centred,
/// without cells that have a corner of no finite height. y points up and the surface's y to -z, as
/// Blender's importer expects: there the surface lies flat, x to the right, y to the back. Each
/// vertex has a colour after its coordinates (viridis by height; "v x y z r g b", which Blender and
/// MeshLab read) and texture coordinates, from 0 to 1 across the plane, for an image of the same
/// surface. `comments` come first, a line each.
std::string obj_of(const HeightField& field, const ModelSize& size,
                   const std::vector<std::string>& comments);

}  // namespace topograd
