// A training trajectory in a plane: the checkpoints' coordinates and losses. The surface on that
// plane is a SurfaceComputation.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernels/core/output_claim.h"
#include "landscape/results/observer.h"
#include "landscape/surface/surface_settings.h"
#include "landscape/trajectory/trajectory_plane.h"
#include "landscape/trajectory/trajectory_results.h"

namespace topograd {

struct TrajectorySettings {
  std::vector<std::string> checkpoints;  ///< three or more files, in the order of training
  std::string output;                    ///< file of the trajectory, continued if it exists
  /// Direction file: if it exists, its plane is used; else the plane of the principal components is
  /// written to it. Empty: <output>_directions.h5, without the output's suffix.
  std::string dir_file{};
  Ignore ignore = Ignore::none;  ///< biasbn: components without biases and BatchNorm
  DirectionType type = DirectionType::weights;
};

class TrajectoryComputation {
 public:
  /// Reads the checkpoints, finds the plane and their coordinates in it. `last` is the last
  /// checkpoint; everything passed must outlive the computation.
  TrajectoryComputation(const TrajectorySettings& settings, const SurfaceSettings& surface,
                        const LoadedModel& last, const ImageSets& images, ThreadPool& pool);

  /// Returns the plane, with axes that cover the trajectory and a margin.
  const SurfaceDirections& directions() const { return directions_; }
  /// Takes over the losses in the output file, if it is there. Throws Error if it is another
  /// computation's.
  void take_losses();
  /// Claims the output file, takes over its losses, and writes the direction file. Throws Error if
  /// either is another computation's.
  void begin();
  /// Computes the losses of the checkpoints and of their projections, and saves them. Throws
  /// Interrupted if the observer asks to stop.
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
  PrincipalComponents components_;  // empty if the plane was read from a file
  TrajectoryResults results_;
  std::optional<OutputClaim> claim_;  // from begin() on
};

}  // namespace topograd
