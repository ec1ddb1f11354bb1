// The checkpoints of a training run, in the order of training.
#pragma once

#include <string>
#include <vector>

#include "apps/common/cli.h"

namespace topograd {

struct CheckpointList {
  std::string name;                ///< the run's: its folder, or the last file without its suffix
  std::vector<std::string> paths;  ///< of files, three or more
};

/// --start-epoch, --max-epoch, --save-epoch, --prefix and --suffix, in this group of the help.
void add_checkpoint_flags(cxxopts::Options& options, const std::string& group);

/// The checkpoints of a run's folder that these flags choose: its epoch_<n>.safetensors, in the
/// order of n. An Error where there are fewer than `least`; `purpose` says what for.
CheckpointList checkpoints_in(const std::string& folder, const cxxopts::ParseResult& flags,
                              size_t least, const std::string& purpose);

/// What landscape trajectory's arguments name: a run's folder, or a list of files, as they stand.
CheckpointList checkpoint_list(const cxxopts::ParseResult& flags);

/// The epoch that a checkpoint says it is of, or the number at the end of its name; else
/// `fallback`.
double epoch_of(const std::string& path, const std::string& noted, double fallback);

/// The epochs after which a run with this configuration (CheckpointInfo::config) lowered its rate
/// in steps; none where it did otherwise.
std::vector<double> rate_drops(const std::string& config);

}  // namespace topograd
