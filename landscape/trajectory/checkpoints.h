// The checkpoints of a training run, in the order of training.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace topograd {

struct CheckpointList {
  std::string name;                ///< name of the run: its folder, or the last file's stem
  std::vector<std::string> paths;  ///< checkpoint files
};

/// A choice of checkpoints in a folder: <prefix><n><suffix>, n = first, first + every, ... last.
struct CheckpointSelection {
  int64_t first = 0, last = 1'000'000'000, every = 1;
  std::string prefix = "epoch_", suffix = ".safetensors";
};

/// Returns the selected checkpoints of a folder, in the order of n. Throws Error if there are fewer
/// than `least`; `purpose` says what they are needed for.
CheckpointList checkpoints_in(const std::string& folder, const CheckpointSelection& selection,
                              size_t least, const std::string& purpose);

/// Returns three checkpoints or more: the selected ones of a run's folder, if `given` is one
/// folder, else the files in `given`. Throws Error if there are fewer, or one is a folder.
CheckpointList checkpoints_of_run(const std::vector<std::string>& given,
                                  const CheckpointSelection& selection);

/// Returns the epoch in `noted`, else the number at the end of the file's stem, else `fallback`.
double epoch_of(const std::string& path, const std::string& noted, double fallback);

/// Returns the epochs after which a run with this configuration (CheckpointInfo::config) dropped
/// its learning rate; empty if its schedule has no steps.
std::vector<double> rate_drops(const std::string& config);

}  // namespace topograd
