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

  /// Returns the settings that the options ask for. Throws Error for missing checkpoints.
  TrajectorySettings settings() const;
};

}  // namespace topograd
