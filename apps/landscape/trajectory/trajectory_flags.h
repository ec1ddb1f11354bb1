// The options of landscape trajectory.
#pragma once

#include <string>
#include <vector>

#include "apps/landscape/surface/surface_flags.h"
#include "landscape/trajectory/checkpoints.h"
#include "landscape/trajectory/trajectory_computation.h"

namespace topograd {

struct TrajectoryFlags {
  SurfaceFlags surface;
  std::vector<std::string> runs;  ///< a run's folder, or checkpoints
  CheckpointSelection checkpoints;
  Ignore ignore = Ignore::none;
  std::string dir_file;

  void add_to(cli::Options& options);
  void check(const cli::Options& options);

  /// Returns what they ask for. Throws Error where checkpoints are not there.
  TrajectorySettings settings() const;
};

}  // namespace topograd
