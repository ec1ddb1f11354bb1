// What pictures say of a trajectory.
#pragma once

#include <string>

#include "landscape/plots/surface_plots.h"
#include "landscape/trajectory/trajectory_results.h"

namespace topograd {

/// The path with its epochs, and where the learning rate fell (provenance's rate_drops: numbers of
/// checkpoints).
FigureMarks trajectory_marks(const TrajectoryResults& results);

/// What a picture of a path in a plane does not show, in a line. `set`: train or test.
std::string trajectory_note(const TrajectoryResults& results, const std::string& set);

/// The losses of the checkpoints beside those of their projections.
TwoCurves trajectory_curves(const TrajectoryResults& results, const std::string& set);

}  // namespace topograd
