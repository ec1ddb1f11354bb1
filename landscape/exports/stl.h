// Binary STL, for printing in three dimensions.
#pragma once

#include <string>

#include "landscape/exports/height_field.h"

namespace topograd {

/// A watertight solid scaled to `size`: the surface on top, vertical walls, and a flat base, in the
/// units that slicers take for millimetres, from (0, 0, 0) on, z up. Every edge belongs to two
/// triangles, which run along it in opposite directions; normals point outwards. A cell's two
/// triangles meet on the diagonal from its (x, y) corner. A point whose height is not finite stands
/// at the top: a hole would not print. Throws Error where two points come to lie in one place of
/// f32, which is what the format has.
std::string stl_of(const HeightField& field, const ModelSize& size);

}  // namespace topograd
