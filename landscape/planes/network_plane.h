// The plane through three networks.
#pragma once

#include <string>

#include "landscape/directions/surface_directions.h"

namespace topograd {

struct NetworkPlane {
  std::string second, third;  ///< files of the networks beside the origin
  bool orthonormal = false;   ///< orthonormal axes, instead of the differences to the networks
  DirectionType type = DirectionType::states;
};

/// Makes a plane through the model and two others. Throws Error if the three lie on one line, or
/// are not of one kind.
SurfaceDirections network_plane(const NetworkPlane& settings, const LoadedModel& model);

}  // namespace topograd
