// landscape watch: a surface while it is computed, in a terminal and in a browser.
#pragma once

#include "apps/common/cli.h"

namespace topograd {

cxxopts::Options watch_flags();

/// Returns the exit status. `typed` is what the user wrote.
int run_watch(const cxxopts::ParseResult& flags, const std::string& typed);

}  // namespace topograd
