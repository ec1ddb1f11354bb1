// The table that landscape connect prints.
#pragma once

#include "landscape/connectivity/connectivity_results.h"

namespace topograd {

/// A table on stdout: every complete path's barriers.
void print_paths(const ConnectivityResults& results);

}  // namespace topograd
