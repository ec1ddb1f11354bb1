// The checkpoints of a training run, in the order of training.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace topograd {

struct CheckpointList {
  std::string name;                ///< the run's: its folder, or the last file without its suffix
  std::vector<std::string> paths;  ///< files
};

/// Which checkpoints of a run's folder: <prefix><n><suffix> for n = first, first + every, ... last.
struct CheckpointSelection {
  int64_t first = 0, last = 1'000'000'000, every = 1;
  std::string prefix = "epoch_", suffix = ".safetensors";
};

/// Returns the selected checkpoints of a folder, in the order of n. Throws Error where there are
/// fewer than `least`; `purpose` says what they are needed for.
CheckpointList checkpoints_in(const std::string& folder, const CheckpointSelection& selection,
                              size_t least, const std::string& purpose);

/// Returns three checkpoints or more: the selected ones of a run's folder, where `given` is that
/// alone, or the files that it lists. Throws Error where there are fewer.
CheckpointList checkpoints_of_run(const std::vector<std::string>& given,
                                  const CheckpointSelection& selection);

/// Returns the epoch that a checkpoint notes, or the number at the end of its name, or `fallback`.
double epoch_of(const std::string& path, const std::string& noted, double fallback);

/// Returns the epochs after which a run with this configuration (CheckpointInfo::config) lowered its
/// learning rate in steps; none where it did otherwise.
std::vector<double> rate_drops(const std::string& config);

}  // namespace topograd
