// Figures of any result.
#pragma once

#include <string>
#include <vector>

#include "landscape/plots/named_figure.h"
#include "landscape/plots/surface_plots.h"
#include "landscape/results/record.h"

namespace topograd {

/// Draws the surface that `file` holds: a grid as the kinds say, a line as curves. A trajectory's
/// surface (<name>_surface.h5 beside <name>.h5) has the path on it; a plane through networks, the
/// networks.
std::vector<NamedFigure> surface_figures(const Surface& surface, const std::string& file,
                                         const std::vector<PictureKind>& kinds,
                                         const PictureOptions& options);

/// Draws the curves of trainings' logs together, in one figure.
std::vector<NamedFigure> training_figures(const std::vector<Record>& logs,
                                          const PictureOptions& options);

/// Draws a result of any kind: surfaces by surface_figures(), losses over a trajectory (and its
/// surface, if that is beside its file), the density of a Hessian's eigenvalues, losses on paths
/// between networks, the coherence of gradients along training, slices of a rescaling, a training's
/// curves; all curves and grids of an unknown kind. Returns none where there is nothing to draw.
std::vector<NamedFigure> result_figures(const Record& record,
                                        const std::vector<PictureKind>& kinds = {},
                                        const PictureOptions& options = {});

}  // namespace topograd
