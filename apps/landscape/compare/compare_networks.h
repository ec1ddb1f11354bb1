// Networks side by side, by the files of landscape sharpness.
#pragma once

#include <string>
#include <vector>

#include "apps/common/cli.h"

namespace topograd {

/// Whether one of the files is one of landscape sharpness. Throws Error for checkpoints, saying
/// what to do with them.
bool are_networks(const std::vector<std::string>& files);

/// Prints every measure of every network, and their rank correlations with --against. Throws Error
/// where the files were not measured over the same images in the same way. Returns the exit status.
int compare_networks(const cxxopts::ParseResult& flags, const std::vector<std::string>& files);

}  // namespace topograd
