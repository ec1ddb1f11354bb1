// Figures of the losses on paths between two networks.
#pragma once

#include <vector>

#include "landscape/connectivity/connectivity_results.h"
#include "landscape/plots/named_figure.h"

namespace topograd {

/// The losses on all complete paths, a figure for each set of images, called <set>_loss; none while
/// no path is complete.
std::vector<NamedFigure> path_figures(const ConnectivityResults& results);

}  // namespace topograd
