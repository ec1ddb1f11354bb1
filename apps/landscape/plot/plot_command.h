// landscape plot: figures of results that are there.
#pragma once

#include "apps/common/cli.h"

namespace topograd {

cxxopts::Options plot_flags();
/// Returns the exit status.
int run_plot(const cxxopts::ParseResult& flags);

}  // namespace topograd
