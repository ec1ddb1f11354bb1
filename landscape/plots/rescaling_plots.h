// Figures of losses before and after a rescaling that leaves the function as it is.
#pragma once

#include <vector>

#include "landscape/plots/named_figure.h"
#include "landscape/sharpness/sharpness_results.h"

namespace topograd {

/// The loss along a line before and after the rescaling, a figure for each kind of direction; none
/// where there was no rescaling.
std::vector<NamedFigure> slice_figures(const SharpnessPanel& panel);

}  // namespace topograd
