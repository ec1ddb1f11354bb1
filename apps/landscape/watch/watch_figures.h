// The figures of a surface that is being computed, as SVG.
#pragma once

#include <string>
#include <vector>

#include "landscape/plots/surface_plots.h"

namespace topograd {

/// Returns the kinds of pictures that the surface has: curves for a line, the others for a grid;
/// none if an axis has one point.
std::vector<PictureKind> watch_kinds(const Surface& surface);

/// Returns a figure: the whole surface as a heat map or curves. Contours and relief need
/// neighbours, which points computed from coarse to fine lack: they show the finest complete level,
/// or the whole if there is none. A trajectory's file beside `file` is read. Errors as for
/// surface_picture.
Figure watch_figure(const Surface& surface, const std::string& file, PictureKind kind,
                    const PictureOptions& options);

/// Returns the figure as an SVG document.
std::string svg_of(const Figure& figure);

}  // namespace topograd
