// landscape surface and landscape line: losses on a plane or a line through a network.
#pragma once

#include "apps/cli.h"

namespace topograd {

/// Flags of both subcommands; `line` has no y axis.
cxxopts::Options surface_flags(bool line);

/// Computes (or continues) the surface and draws its pictures. Returns the exit status.
int run_surface(const cxxopts::ParseResult& flags, bool line, const std::string& command);

}  // namespace topograd
