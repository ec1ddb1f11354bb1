// landscape sharpness: a panel of measures of how sharp the minima of networks are.
#pragma once

#include <string>

#include "apps/common/cli.h"

namespace topograd {

cxxopts::Options sharpness_flags();
/// The flags' help, and the measures' definitions below.
std::string sharpness_help(const cxxopts::Options& options);

/// `command` is what the user typed, for the files.
int run_sharpness(const cxxopts::ParseResult& flags, const std::string& command);

}  // namespace topograd
