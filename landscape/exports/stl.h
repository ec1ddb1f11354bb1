// Binary STL, for printing in three dimensions.
#pragma once

#include <string>

#include "landscape/exports/height_field.h"

namespace topograd {

/// Returns a watertight solid scaled to `size`: the surface on top, vertical walls, a flat base, in
/// the units that slicers take for millimetres, from (0, 0, 0) on, z up. Every edge belongs to two
/// triangles, which run along it in opposite directions; normals point outwards. A cell's two
/// triangles meet on the diagonal from its (x, y) corner. A point without a finite height is put at
/// the top: a hole would not print. Throws Error where two points coincide in f32, the format's
/// type.
std::string stl_of(const HeightField& field, const ModelSize& size);

}  // namespace topograd
