// VTK's XML files (version 1.0, headers UInt64), for ParaView, VisIt, PyVista and meshio. Numbers
// are inline base64, uncompressed, little-endian: the files are well-formed XML, and every reader
// takes them; that is a third more bytes than appended raw data, which are no XML.
//
// All planes are point data as they are, [y][x], but infinity is NaN too: one infinite value would
// be the end of every colour scale. `done` is point data, and the provenance a text (JSON) in the
// field data. Axes are ascending, whatever the surface's are.
#pragma once

#include <optional>
#include <string>

#include "landscape/exports/height_field.h"
#include "landscape/trajectory/trajectory_results.h"

namespace topograd {

/// Whether the points of an ascending axis lie on an even grid, up to 1e-9 of its extent.
bool is_even(const std::vector<double>& axis);

/// .vti: ImageData, of points at z = 0. Throws Error where an axis is not even, or has two points
/// in one place.
std::string vtk_image(const Surface& surface);
/// .vtr: RectilinearGrid, the same for any axes.
std::string vtk_rectilinear(const Surface& surface);

/// .vtp: PolyData, the surface as quadrilaterals. Points lie at x, y and z = height; where a height
/// is not finite, a point is as high as the highest and no quadrilateral is drawn to it. Point data
/// beside the planes: `zvalue`, the height (the name that the authors' converter uses), NaN where
/// it is not finite. `height`: z is stretched to it, from 0.
std::string vtk_surface(const Surface& surface, const HeightOptions& options,
                        std::optional<double> height = {});

/// .vtp: PolyData, a trajectory as lines through its checkpoints, at z = the height of the
/// projection's loss, which is where it lies on vtk_surface() of the same options. `plane` names a
/// loss ("train_loss"). A point without a finite height is as above, and no line leads to it.
/// Point data: epoch, length, distance, the losses and projected_ losses, done, zvalue.
std::string vtk_trajectory(const TrajectoryResults& results, const HeightOptions& options);

}  // namespace topograd
