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

/// Returns the number of points that are done in a surface's file; 0 if there is none.
int64_t points_in_file(const std::string& output);

/// Evaluates the network on a few images, thoroughly for a second, and plans from that, where
/// `done` points are done already and `processes` share the work.
SurfacePlan plan_of(const SurfaceInputs& inputs, const SurfaceDirections& directions, int processes,
                    int64_t done, bool thoroughly);

}  // namespace topograd
