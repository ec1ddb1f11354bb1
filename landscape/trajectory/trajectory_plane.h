// The plane spanned by the principal components of a training's checkpoints.
#pragma once

#include <string>
#include <vector>

#include "landscape/directions/surface_directions.h"
#include "landscape/trajectory/trajectory.h"

namespace topograd {

/// The plane of the first two principal components of theta_e - theta_n, checkpoints e = 0 ... n.
struct PrincipalPlane {
  std::vector<std::string>
      checkpoints;               ///< files, in the order of training; the last is the origin
  Ignore ignore = Ignore::none;  ///< biasbn: components without biases and BatchNorm
  DirectionType type = DirectionType::weights;
};

/// Checkpoints of a training as vectors.
struct CheckpointRows {
  Tensor rows;                 ///< theta_e - theta_n, [checkpoints, parameters (and statistics)]
  std::vector<double> epochs;  ///< epochs by epoch_of(); the index if unknown
  std::string hash;            ///< hash of all networks
  bool one_run = true;         ///< true if all have the last's configuration
};

/// Reads the checkpoints; `last` is the last of them. Throws Error if one is of another kind.
CheckpointRows read_checkpoints(const std::vector<std::string>& paths, DirectionType type,
                                const LoadedModel& last);

/// Returns parameters, followed by running statistics if there are any, as one vector.
Tensor flat(const Tensor& parameters, const Tensor& running_stats);

/// Returns the plane of the first two of `components`, the principal components of the rows.
SurfaceDirections principal_plane(const PrincipalPlane& settings, const CheckpointRows& checkpoints,
                                  const PrincipalComponents& components, const LoadedModel& last);

/// Returns the principal components of the checkpoints, with the directions of the first two. The
/// pool's device must be the CPU.
PrincipalComponents components_of(const CheckpointRows& checkpoints, Ignore ignore,
                                  const ParameterLayout& layout, ThreadPool& pool);

/// Returns the settings as JSON on one line, as a surface's file keeps them: see DirectionRecipe.
std::string recipe_of(const PrincipalPlane& settings);

}  // namespace topograd
