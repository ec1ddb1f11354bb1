// VTK's XML files (version 1.0, headers UInt64), for ParaView, VisIt, PyVista and meshio. Numbers
// are inline base64, uncompressed, little-endian: well-formed XML that every reader takes, a third
// larger than appended raw data, which are no XML.
//
// All planes are point data, [y][x], unchanged but for infinity, which becomes NaN: one infinite
// value would spoil every colour scale. `done` is point data, and the provenance a text (JSON) in
// the field data. Axes are ascending, whatever the surface's are.
#pragma once

#include <optional>
#include <string>

#include "landscape/exports/height_field.h"
#include "landscape/trajectory/trajectory_results.h"

namespace topograd {

/// Returns whether the points of an ascending axis are evenly spaced, up to 1e-9 of its extent.
bool is_even(const std::vector<double>& axis);

/// Returns a .vti file: ImageData, points at z = 0. Throws Error where an axis is not even, or has
/// two points in one place.
std::string vtk_image(const Surface& surface);
/// Returns a .vtr file: RectilinearGrid, points at z = 0, for any axes. Throws Error where an axis
/// has two points in one place.
std::string vtk_rectilinear(const Surface& surface);

/// Returns a .vtp file: PolyData, the surface as quadrilaterals. Points lie at x, y, z = height;
/// where a height is not finite, a point is as high as the highest and no quadrilateral is drawn to
/// it. Point data are the planes and `zvalue`, the height (the name that the authors' converter
/// uses), NaN where it is not finite. `height` stretches z to [0, height].
std::string vtk_surface(const Surface& surface, const HeightOptions& options,
                        std::optional<double> height = {});

/// Returns a .vtp file: PolyData, a trajectory as lines through its checkpoints. z is the height of
/// the projection's loss: the line lies on vtk_surface() of the same options. `options.plane` names
/// a loss ("train_loss"). A point without a finite height is as high as the highest, and no line
/// leads to it. Point data: epoch, length, distance, losses, projected_ losses, done, zvalue.
std::string vtk_trajectory(const TrajectoryResults& results, const HeightOptions& options);

}  // namespace topograd
