// bench surfaces: points of a loss surface against PyTorch's inference and a loop of its kind.
#pragma once

#include "apps/common/cli.h"

namespace topograd {

/// argv behind the word "surfaces".
int run_bench_surfaces(cli::Arguments& arguments);

}  // namespace topograd
