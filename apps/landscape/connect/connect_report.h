// What landscape connect prints.
#pragma once

#include "landscape/connectivity/connectivity_analysis.h"

namespace topograd {

/// Prints what was computed, what was written, and a table of every complete path's barriers;
/// `output` is the results' file.
void print_connectivity(const ConnectivityResults& results, const std::string& output,
                        const ConnectivitySettings& settings);

}  // namespace topograd
