// landscape plane: losses on a plane through three networks, along eigenvectors of the curvature,
// the gradient, or the directions of a file.
#pragma once

#include "apps/landscape/surface/surface_run.h"

namespace topograd {

/// The flags must outlive what is returned.
SurfaceJob plane_command(const cxxopts::ParseResult& flags);

}  // namespace topograd
