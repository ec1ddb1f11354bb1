// Networks side by side, by the files of landscape sharpness.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace topograd {

/// Whether one of the files is one of landscape sharpness. Throws Error for checkpoints, saying
/// what to do with them.
bool are_networks(const std::vector<std::string>& files);

struct NetworkComparison {
  std::string against = "test_error";  ///< the measure that the others are held against
  uint64_t seed = 1;                   ///< of random permutations and samples
  std::optional<std::string> json;     ///< a file for the numbers
};

/// Prints every measure of every network, and their rank correlations with one of them. Throws
/// Error where the files were not measured over the same images in the same way.
void compare_networks(const std::vector<std::string>& files, const NetworkComparison& settings);

}  // namespace topograd
