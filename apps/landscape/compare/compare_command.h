// landscape compare: surfaces on the same points, or networks by their measures, side by side.
#pragma once

#include "apps/common/cli.h"

namespace topograd {

cxxopts::Options compare_flags();

/// Prints how each further surface differs from the first, or the networks' table. Returns the exit
/// status.
int run_compare(const cxxopts::ParseResult& flags);

}  // namespace topograd
