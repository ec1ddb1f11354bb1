// The plane of the principal components of a training's checkpoints.
#pragma once

#include <string>
#include <vector>

#include "landscape/directions/surface_directions.h"
#include "landscape/trajectory/trajectory.h"

namespace topograd {

/// The plane of the first two principal components of theta_e - theta_n over checkpoints e = 0 ... n.
struct PrincipalPlane {
  std::vector<std::string>
      checkpoints;               ///< files, in the order of training; the last is the origin
  Ignore ignore = Ignore::none;  ///< biasbn: without biases and BatchNorm
  DirectionType type = DirectionType::weights;
};

/// The checkpoints of a training as vectors.
struct CheckpointRows {
  Tensor rows;                 ///< [checkpoints, parameters (and statistics)], less the last one
  std::vector<double> epochs;  ///< what each says it is of, or its name, or its place in the list
  std::string hash;            ///< of all networks
  bool one_run = true;         ///< whether all have the last one's configuration
};

/// Reads the checkpoints. `last` is the last of them. Throws Error where one is of another kind.
CheckpointRows read_checkpoints(const std::vector<std::string>& paths, DirectionType type,
                                const LoadedModel& last);

/// Returns parameters, and running statistics behind them where there are any, as one vector.
Tensor flat(const Tensor& parameters, const Tensor& running_stats);

/// Finds the plane; `components` are all principal components of the rows.
SurfaceDirections principal_plane(const PrincipalPlane& settings, const CheckpointRows& checkpoints,
                                  const PrincipalComponents& components, const LoadedModel& last);

/// Returns the principal components of the checkpoints, with the directions of the first two. The
/// pool's device is the CPU.
PrincipalComponents components_of(const CheckpointRows& checkpoints, Ignore ignore,
                                  const ParameterLayout& layout, ThreadPool& pool);

/// Returns the settings as they are kept in a surface's file, JSON on one line: see DirectionRecipe.
std::string recipe_of(const PrincipalPlane& settings);

}  // namespace topograd
