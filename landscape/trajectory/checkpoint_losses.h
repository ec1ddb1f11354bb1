// Losses along a trajectory: at its checkpoints, and at their projections onto its plane.
#pragma once

#include <string>
#include <vector>

#include "landscape/results/observer.h"
#include "landscape/surface/surface_settings.h"
#include "landscape/trajectory/trajectory_results.h"

namespace topograd {

/// Computes the losses that the results lack, and saves them in the file `path`. `checkpoints` are
/// the checkpoints' files, `last` is the last of them, the plane's origin. Throws Interrupted if
/// the observer asks to stop; finished losses are saved.
void compute_checkpoint_losses(TrajectoryResults& results, const std::string& path,
                               const std::vector<std::string>& checkpoints,
                               const std::vector<Directions>& plane,
                               const SurfaceSettings& settings, const LoadedModel& last,
                               const ImageSets& images, ThreadPool& pool, Observer& observer);

}  // namespace topograd
