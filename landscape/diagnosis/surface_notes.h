// Notes on a finished surface: what its picture will not show.
#pragma once

#include <string>
#include <vector>

#include "landscape/surface/surface.h"

namespace topograd {

/// Returns a line for each of these, where it is so, of a surface of losses: points have no finite loss, and why; how many images --target-se took, and where they
/// were too few; its centre's accuracy is what chance gives (percent; 0 where that is unknown); nine tenths of it are a plateau where the
/// accuracy is chance, while the centre's is not; the loss varies by less than its standard errors.
std::vector<std::string> notes_on(const Surface& surface, double chance);

}  // namespace topograd
