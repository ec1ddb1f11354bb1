// The losses along a trajectory: of its checkpoints, and where they are projected to.
#pragma once

#include "apps/landscape/common/checkpoint_flags.h"
#include "apps/landscape/surface/surface_inputs.h"
#include "landscape/surface/surface_values.h"
#include "landscape/trajectory/trajectory_results.h"

namespace topograd {

/// Computes what is to do, and keeps it in the file `path`. Returns early at an interruption, with
/// everything saved.
void compute_losses(TrajectoryResults& results, const std::string& path,
                    const CheckpointList& checkpoints, const std::vector<Directions>& plane,
                    SurfaceInputs& inputs, const SurfaceValues& values, double save_seconds);

/// A row per checkpoint, and what the plane holds of the whole.
void print_trajectory(const TrajectoryResults& results, const std::vector<std::string>& sets);

}  // namespace topograd
