// landscape hessian: eigenvalues, trace and spectral density of a loss's curvature at a network.
#pragma once

#include <string>

#include "apps/common/cli.h"

namespace topograd {

cxxopts::Options hessian_flags();

/// `command` is what the user typed, for the file.
int run_hessian(const cxxopts::ParseResult& flags, const std::string& command);

}  // namespace topograd
