// A relief as shapes: facets, from the farthest to the nearest, in the light that falls on it.
#pragma once

#include <vector>

#include "landscape/figures/canvas/canvas.h"
#include "landscape/figures/relief/relief_mesh.h"

namespace topograd::drawing {

/// Returns the facets that a camera sees any part of, about 90 along the relief's longer side, with
/// the lines at these fractions of the scale on them. What is nearer comes later and hides them.
std::vector<Facet> relief_facets(const ReliefMesh& relief, const Camera& camera, const Lit& light,
                                 const std::vector<double>& levels, ColourMap map);

}  // namespace topograd::drawing
