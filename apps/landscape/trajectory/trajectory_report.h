// What landscape trajectory prints.
#pragma once

#include <string>
#include <vector>

#include "landscape/trajectory/trajectory_results.h"

namespace topograd {

/// Prints a row per checkpoint, and what the plane holds of the path; `sets`: train, test.
void print_trajectory(const TrajectoryResults& results, const std::vector<std::string>& sets);

}  // namespace topograd
