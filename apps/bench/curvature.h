// bench curvature: products with the Hessian.
#pragma once

#include "apps/common/cli.h"

namespace topograd {

int run_bench_curvature(cli::Arguments& arguments);

}  // namespace topograd
