// landscape animate: films of surfaces that are there.
#pragma once

#include "apps/common/cli.h"

namespace topograd {

cxxopts::Options animate_flags();
/// Returns the exit status.
int run_animate(const cxxopts::ParseResult& flags);

}  // namespace topograd
