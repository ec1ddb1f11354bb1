// landscape compare: surfaces on the same points, side by side.
#pragma once

#include "apps/cli.h"

namespace topograd {

cxxopts::Options compare_flags();

/// Prints how each further file differs from the first. Returns the exit status.
int run_compare(const cxxopts::ParseResult& flags);

}  // namespace topograd
