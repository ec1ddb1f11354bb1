// A surface's file that is continued.
#pragma once

#include <string>
#include <vector>

#include "landscape/results/observer.h"
#include "landscape/surface/surface.h"

namespace topograd {

/// Takes over the points of the output file, where it is there and the same command's, and writes
/// what is yet to be finished: a place that cannot be written should fail now, not in an hour.
/// Throws Error where the file is another command's: differs in one of the keys, or in the grid.
void continue_or_begin(Surface& surface, const std::string& output,
                       const std::vector<std::string>& keys, Observer& observer);

}  // namespace topograd
