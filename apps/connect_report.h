// What landscape connect says and draws.
#pragma once

#include <string>
#include <vector>

#include "landscape/connectivity_results.h"

namespace topograd {

/// A table on stdout: every complete path's barriers.
void print_paths(const ConnectivityResults& results);

/// Draws <stem>_<set>_loss as .svg and .png, all complete paths in one picture. Returns their
/// names.
std::vector<std::string> draw_paths(const ConnectivityResults& results,
                                    const std::vector<std::string>& sets, const std::string& stem,
                                    const std::string& footer);

}  // namespace topograd
