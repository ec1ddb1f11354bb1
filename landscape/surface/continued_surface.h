// Resumes a surface from its file.
#pragma once

#include <string>
#include <vector>

#include "landscape/results/observer.h"
#include "landscape/surface/surface.h"

namespace topograd {

/// Takes over the points of the output file, if there is one, and writes a surface that is not
/// finished, so that an unwritable path fails before the computation. Throws Error if the file is
/// another command's: its provenance differs in one of `keys`, or its grid differs.
void continue_or_begin(Surface& surface, const std::string& output,
                       const std::vector<std::string>& keys, Observer& observer);

}  // namespace topograd
