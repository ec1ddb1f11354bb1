// What landscape connect says and draws.
#pragma once

#include <string>
#include <vector>

#include "apps/named_figure.h"
#include "landscape/connectivity_results.h"

namespace topograd {

/// A table on stdout: every complete path's barriers.
void print_paths(const ConnectivityResults& results);

/// The losses on all complete paths, a figure for each set of images, called <set>_loss; none while
/// no path is complete.
std::vector<NamedFigure> path_figures(const ConnectivityResults& results);

}  // namespace topograd
