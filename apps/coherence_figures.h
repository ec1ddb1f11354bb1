// What landscape coherence draws.
#pragma once

#include <vector>

#include "apps/named_figure.h"
#include "landscape/coherence_results.h"

namespace topograd {

/// Curves over the epochs of training, one for each kind of network; none where no two epochs are
/// known.
std::vector<NamedFigure> coherence_figures(const CoherenceResults& results);

}  // namespace topograd
