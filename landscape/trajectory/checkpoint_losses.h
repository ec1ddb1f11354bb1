// The losses along a trajectory: of its checkpoints, and of their projections onto its plane.
#pragma once

#include <string>
#include <vector>

#include "landscape/results/observer.h"
#include "landscape/surface/surface_settings.h"
#include "landscape/trajectory/trajectory_results.h"

namespace topograd {

/// Computes the losses that the results lack, and keeps them in the file `path`. `checkpoints` are
/// their files, `last` the last of them, through which the plane goes. Throws Interrupted where the
/// observer asks to stop, with what was finished saved.
void compute_checkpoint_losses(TrajectoryResults& results, const std::string& path,
                               const std::vector<std::string>& checkpoints,
                               const std::vector<Directions>& plane,
                               const SurfaceSettings& settings, const LoadedModel& last,
                               const ImageSets& images, ThreadPool& pool, Observer& observer);

}  // namespace topograd
