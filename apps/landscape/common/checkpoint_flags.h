// The options that choose checkpoints of a run's folder.
#pragma once

#include "apps/common/options.h"
#include "landscape/trajectory/checkpoints.h"

namespace topograd {

/// Declares --start-epoch, --max-epoch, --save-epoch, --prefix and --suffix in the current group.
void add_checkpoint_options(cli::Options& options, CheckpointSelection& selection);

/// Names of the options that add_checkpoint_options() declares.
constexpr const char* kCheckpointOptions[] = {"start-epoch", "max-epoch", "save-epoch", "prefix",
                                              "suffix"};

}  // namespace topograd
