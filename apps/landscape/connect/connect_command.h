// landscape connect: the loss on paths between two networks.
#pragma once

#include <string>

#include "apps/common/cli.h"

namespace topograd {

cxxopts::Options connect_flags();

/// `command` is what the user typed, for the file.
int run_connect(const cxxopts::ParseResult& flags, const std::string& command);

}  // namespace topograd
