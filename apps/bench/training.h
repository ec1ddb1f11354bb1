// bench training: steps of SGD against PyTorch's.
#pragma once

#include "apps/common/cli.h"

namespace topograd {

/// argv behind the word "training".
int run_bench_training(cli::Arguments& arguments);

}  // namespace topograd
