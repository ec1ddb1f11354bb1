// Resumes a surface from its file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "landscape/results/observer.h"
#include "landscape/surface/surface.h"

namespace topograd {

/// Returns the points of the output file, if there is one. Throws Error if the file is another
/// command's than the empty `surface`: its provenance differs in one of `keys`, or its grid differs.
std::optional<Surface> saved_surface(const Surface& surface, const std::string& output,
                                     const std::vector<std::string>& keys);

/// Takes over the points of the output file, if there is one, and writes a surface that is not
/// finished, so that an unwritable path fails before the computation. Throws Error as
/// saved_surface() does.
void continue_or_begin(Surface& surface, const std::string& output,
                       const std::vector<std::string>& keys, Observer& observer);

}  // namespace topograd
