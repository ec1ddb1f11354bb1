// Figures of any file of results.
#pragma once

#include <string>
#include <vector>

#include "landscape/plots/named_figure.h"
#include "landscape/plots/surface_plots.h"
#include "landscape/results/result_kind.h"

namespace topograd {

/// Draws the surface that `file` holds: a grid as the kinds say, a line as curves. A trajectory's
/// surface (<name>_surface.h5 beside <name>.h5) has the path on it; a plane through networks, the
/// networks.
std::vector<NamedFigure> surface_figures(const Surface& surface, const std::string& file,
                                         const std::vector<PictureKind>& kinds,
                                         const PictureOptions& options);

/// Of a file of another kind: losses over a trajectory (and its surface, where that is beside it),
/// the density of a Hessian's eigenvalues, losses on paths between networks, the coherence of
/// gradients along training, slices of a rescaling, a training's curves. None where it holds
/// nothing to draw. An Error for a file of results that is damaged.
std::vector<NamedFigure> result_figures(const std::string& file, ResultKind kind,
                                        const std::vector<PictureKind>& kinds,
                                        const PictureOptions& options);

}  // namespace topograd
