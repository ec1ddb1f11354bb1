// What landscape coherence draws.
#pragma once

#include <vector>

#include "landscape/coherence/coherence_results.h"
#include "landscape/plots/named_figure.h"

namespace topograd {

/// Curves over the epochs of training, one for each kind of network; none where no two epochs are
/// known.
std::vector<NamedFigure> coherence_figures(const CoherenceResults& results);

}  // namespace topograd
