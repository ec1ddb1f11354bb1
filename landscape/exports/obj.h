// Wavefront's OBJ, for Blender and its like.
#pragma once

#include <string>

#include "landscape/exports/height_field.h"

namespace topograd {

/// The open surface, scaled to `size` (of which the base does not count) and centred, as
/// quadrilaterals, without the cells that have a corner whose height is not finite. y points up and
/// the surface's y to -z, which is what Blender's importer expects: there the surface lies flat, x
/// to the right, y to the back. Each vertex has a colour after its coordinates (viridis, of the
/// height; "v x y z r g b", which Blender and MeshLab read) and texture coordinates, from 0 to 1
/// across the plane, for an image of the same surface. `comments` come first, a line each.
std::string obj_of(const HeightField& field, const ModelSize& size,
                   const std::vector<std::string>& comments);

}  // namespace topograd
