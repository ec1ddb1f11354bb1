// What landscape surface, line, plane and trajectory print and draw of a surface.
#pragma once

#include "apps/landscape/surface/surface_run.h"

namespace topograd {

/// Prints the lowest loss, the pace, the difference of the arithmetic from f32, barriers and where
/// networks lie on the plane.
void print_surface(const SurfaceComputation& computation, const SurfaceInputs& inputs,
                   const SurfaceDirections& directions);

/// Draws the pictures, if wanted, and prints their names.
void draw(const Surface& surface, const SurfacePictures& pictures);
/// Draws the finest complete level of an interrupted surface.
void draw_unfinished(const Surface& surface, const SurfacePictures& pictures);

}  // namespace topograd
