// landscape coherence --over: the coherence of minibatch gradients at every point of a surface.
#pragma once

#include <string>

#include "apps/landscape/coherence/coherence_command.h"

namespace topograd {

/// Computes (or continues) the surface and draws its pictures. Returns the exit status.
int run_coherence_surface(const cxxopts::ParseResult& flags, const std::string& model_path,
                          const std::string& command);

}  // namespace topograd
