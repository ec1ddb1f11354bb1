// What the computation of a surface will be, said before it begins.
#pragma once

#include <string>

#include "apps/landscape/surface/surface_run.h"

namespace topograd {

/// Computation ahead: of what, over which images, where to, and for how long about.
struct SurfacePlan {
  std::string words;   ///< one line
  double seconds = 0;  ///< at the pace of a sample of the images at the network itself
};

/// Evaluates the network on a few images, thoroughly for a second, and plans from that; `processes`
/// share the work. Reads the output file, if there is one, and writes nothing.
SurfacePlan plan_of(const SurfaceInputs& inputs, const SurfaceDirections& directions, int processes,
                    bool thoroughly);

}  // namespace topograd
