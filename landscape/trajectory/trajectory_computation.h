// A training's path in a plane: where its checkpoints lie, and their losses. The surface on that
// plane is a SurfaceComputation.
#pragma once

#include <string>
#include <vector>

#include "landscape/results/observer.h"
#include "landscape/surface/surface_settings.h"
#include "landscape/trajectory/trajectory_plane.h"
#include "landscape/trajectory/trajectory_results.h"

namespace topograd {

struct TrajectorySettings {
  std::vector<std::string> checkpoints;  ///< files, three or more, in the order of training
  std::string output;                    ///< the trajectory's file, continued where it is there
  /// A file of directions: the path is seen in their plane where it is there; else that of the
  /// principal components is written there. Empty: <output>_directions.h5.
  std::string dir_file{};
  Ignore ignore = Ignore::none;  ///< biasbn: components without biases and BatchNorm
  DirectionType type = DirectionType::weights;
};

class TrajectoryComputation {
 public:
  /// Reads the checkpoints, finds the plane, and where they lie in it. `last` is the last
  /// checkpoint; everything handed in must outlive the computation.
  TrajectoryComputation(const TrajectorySettings& settings, const SurfaceSettings& surface,
                        const LoadedModel& last, const ImageSets& images, ThreadPool& pool);

  /// The plane, with axes that hold the path and a margin.
  const SurfaceDirections& directions() const { return directions_; }
  /// Takes over what the output file holds, and writes the file of directions. Throws Error where
  /// either is another computation's.
  void begin();
  /// Computes the checkpoints' losses, and those of their projections. Throws Interrupted.
  void compute_losses(Observer& observer);

  const TrajectoryResults& results() const { return results_; }

 private:
  void find_plane(const CheckpointRows& checkpoints, ThreadPool& pool);
  void project(const CheckpointRows& checkpoints, ThreadPool& pool);
  void describe(const CheckpointRows& checkpoints);
  std::string rate_drops_of_run() const;
  void write_directions_file() const;

  const TrajectorySettings& settings_;
  const SurfaceSettings& surface_;
  const LoadedModel& last_;
  const ImageSets& images_;
  ThreadPool& pool_;
  SurfaceDirections directions_;
  PrincipalComponents components_;  // empty where the plane is a file's
  TrajectoryResults results_;
};

}  // namespace topograd
