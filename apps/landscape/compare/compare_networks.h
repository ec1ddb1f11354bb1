// Networks side by side, by the files of landscape sharpness.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace topograd {

/// Returns whether one of the files is one of landscape sharpness. Throws Error for checkpoints,
/// saying what to do with them.
bool are_networks(const std::vector<std::string>& files);

struct NetworkComparison {
  std::string against = "test_error";  ///< measure that the others are correlated with
  uint64_t seed = 1;                   ///< seed of random permutations and samples
  std::optional<std::string> json;     ///< file for the numbers
};

/// Prints every measure of every network, and the measures' rank correlations with one of them.
/// Throws Error unless the files were measured over the same images in the same way.
void compare_networks(const std::vector<std::string>& files, const NetworkComparison& settings);

}  // namespace topograd
