// The checkpoints of a training run, in the order of training.
#pragma once

#include <string>
#include <vector>

#include "apps/cli.h"

namespace topograd {

struct CheckpointList {
  std::string name;                ///< the run's: its folder, or the last file without its suffix
  std::vector<std::string> paths;  ///< of files, three or more
};

/// What landscape trajectory's arguments name: the epoch_<n>.safetensors of a run's folder, in the
/// order of n (--prefix and --suffix choose others, --start-epoch, --max-epoch and --save-epoch
/// some of them), or a list of files, as they stand.
CheckpointList checkpoint_list(const cxxopts::ParseResult& flags);

/// The epoch that a checkpoint says it is of, or the number at the end of its name; else
/// `fallback`.
double epoch_of(const std::string& path, const std::string& noted, double fallback);

/// The epochs after which a run with this configuration (CheckpointInfo::config) lowered its rate
/// in steps; none where it did otherwise.
std::vector<double> rate_drops(const std::string& config);

}  // namespace topograd
