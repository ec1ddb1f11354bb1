// The plane through three networks.
#pragma once

#include <string>

#include "landscape/directions/surface_directions.h"

namespace topograd {

struct NetworkPlane {
  std::string second, third;  ///< files of the networks beside the origin
  bool orthonormal = false;  ///< axes of length 1 at right angles, not the ways to the two networks
  DirectionType type = DirectionType::states;
};

/// Lays a plane through the model and two others. Throws Error where the three lie on one line, or
/// are not of one kind.
SurfaceDirections network_plane(const NetworkPlane& settings, const LoadedModel& model);

}  // namespace topograd
