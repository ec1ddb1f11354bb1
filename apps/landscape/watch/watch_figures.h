// The figures of a surface that is being computed, as SVG.
#pragma once

#include <string>
#include <vector>

#include "landscape/plots/surface_plots.h"

namespace topograd {

/// That the surface can be drawn as: of a line the curves, of a grid the others; none where an axis
/// has one point.
std::vector<PictureKind> watch_kinds(const Surface& surface);

/// The whole surface as a heat map or curves. Contours and relief need neighbours, which points
/// computed from coarse to fine do not have: they show the finest level that is complete, and the
/// whole where there is none. Trajectories' files beside `file` are read, so HDF5 must be this
/// thread's while `figure` is made, not while it is drawn. Errors as for surface_picture.
Figure watch_figure(const Surface& surface, const std::string& file, PictureKind kind,
                    const PictureOptions& options);

/// An SVG document.
std::string svg_of(const Figure& figure);

}  // namespace topograd
