// The list of landscape's commands: the one place where a command is entered.
#pragma once

#include <vector>

#include "apps/common/command.h"

namespace topograd {

/// The commands, in the order in which landscape --help shows them.
const std::vector<cli::CommandEntry>& landscape_commands();

}  // namespace topograd
