// What the system lets this process have: processors and memory, also where a container has less of
// them than the machine.
#pragma once

#include <string>

namespace topograd {

/// Returns the processors that the process may use: of its affinity mask, and no more than its
/// control groups' quota, rounded down; at least 1. `root` stands before /proc and /sys, for tests.
int allowed_processors(const std::string& root = "");

/// Returns the bytes of memory that the process may still fill: what is available on the machine,
/// within its control groups' limits and its own (ulimit -v).
double allowed_memory(const std::string& root = "");

}  // namespace topograd
