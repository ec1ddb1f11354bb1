// The losses along a trajectory: of its checkpoints, and where they are projected to.
#pragma once

#include "apps/checkpoint_list.h"
#include "apps/surface_inputs.h"
#include "landscape/surface_values.h"
#include "landscape/trajectory_results.h"

namespace topograd {

/// Computes what is to do, and keeps it in the file `path`. Returns early at an interruption, with
/// everything saved.
void compute_losses(TrajectoryResults& results, const std::string& path,
                    const CheckpointList& checkpoints, const std::vector<Directions>& plane,
                    SurfaceInputs& inputs, const SurfaceValues& values, double save_seconds);

/// A row per checkpoint, and what the plane holds of the whole.
void print_trajectory(const TrajectoryResults& results, const std::vector<std::string>& sets);

/// The largest difference between a checkpoint's own loss and that of its projection; of the first
/// set. NaN where none is finite.
double largest_difference(const TrajectoryResults& results, const std::string& set);

}  // namespace topograd
