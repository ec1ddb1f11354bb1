// landscape surface and landscape line: losses on a plane or a line through a network.
#pragma once

#include <string>

#include "apps/cli.h"
#include "apps/ranks.h"

namespace topograd {

/// Flags of both subcommands; `line` has no y axis.
cxxopts::Options surface_flags(bool line);

/// The text of --help, what is needed first in front.
std::string surface_help(const cxxopts::Options& options);

/// Computes (or continues) the surface, together with the other ranks, and draws its pictures.
/// Returns the exit status.
int run_surface(const cxxopts::ParseResult& flags, bool line, const std::string& command,
                Ranks& ranks);

}  // namespace topograd
