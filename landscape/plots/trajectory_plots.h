// Figures of a trajectory: its marks on a plane, its losses, and the line below the title.
#pragma once

#include <string>

#include "landscape/plots/surface_plots.h"
#include "landscape/trajectory/trajectory_results.h"

namespace topograd {

/// Returns the path with its epochs, and where the learning rate fell (rate_drops of the
/// provenance: numbers of checkpoints).
FigureMarks trajectory_marks(const TrajectoryResults& results);

/// Returns a line of what a picture of a path in a plane does not show: how much of its variance
/// the plane holds, how far from it checkpoints lie. `set` is "train" or "test".
std::string trajectory_note(const TrajectoryResults& results, const std::string& set);

/// Returns the losses of the checkpoints beside those of their projections.
TwoCurves trajectory_curves(const TrajectoryResults& results, const std::string& set);

}  // namespace topograd
