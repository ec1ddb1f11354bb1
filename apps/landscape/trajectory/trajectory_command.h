// landscape trajectory: the path of a training in the plane of its principal components, and the
// loss on that plane.
#pragma once

#include "apps/landscape/surface/surface_run.h"

namespace topograd {

/// `typed` is the command as the user wrote it. The flags must outlive what is returned.
SurfaceJob trajectory_command(const cxxopts::ParseResult& flags, const std::string& typed);

}  // namespace topograd
