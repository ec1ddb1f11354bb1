// Figures of the records of one kind each, for result_plots.cpp to choose from. A kind without a
// function of its own has default_figures().
#pragma once

#include "landscape/plots/named_figure.h"
#include "landscape/plots/surface_plots.h"
#include "landscape/results/record.h"

namespace topograd {

/// Returns the title, size, scale and bounds that the options ask for; `scale` is the default.
FigureOptions curve_options(const Record& record, const PictureOptions& options, Scale scale);

/// Draws cosine and signal-to-noise ratio over the epochs of training, a curve for each kind of
/// network; nothing where no two epochs are known.
std::vector<NamedFigure> coherence_figures(const Record& record, const PictureOptions& options);

/// Draws the density of the eigenvalues on a logarithmic axis: most of a network's spectrum is a
/// spike at 0. Where there is no density, the eigenvalues at both ends.
std::vector<NamedFigure> density_figures(const Record& record, const PictureOptions& options);

/// Draws the losses on all complete paths, a figure <set>_loss for each set of images.
std::vector<NamedFigure> path_figures(const Record& record, const PictureOptions& options);

/// Draws the loss along a line before and after a rescaling, a figure for each kind of direction.
std::vector<NamedFigure> slice_figures(const Record& record, const PictureOptions& options);

/// Draws any record: for each axis with two points or more the curves over it, a figure for each
/// unit, and every grid as a heat map. What scalars there are stands below the title.
std::vector<NamedFigure> default_figures(const Record& record, const PictureOptions& options);

}  // namespace topograd
