// landscape hessian --over: the curvature at every point of a surface.
#pragma once

#include <string>

#include "apps/common/cli.h"

namespace topograd {

/// Computes (or continues) the maps and draws them. Returns the exit status.
int run_hessian_map(const cxxopts::ParseResult& flags, const std::string& command);

}  // namespace topograd
