// Files of results that a command line names.
#pragma once

#include <string>
#include <vector>

namespace topograd::cli {

/// Returns named_results(), and notes what it leaves out; `command` is the one that does.
std::vector<std::string> results_named(const std::vector<std::string>& words,
                                       const std::string& command);

}  // namespace topograd::cli
