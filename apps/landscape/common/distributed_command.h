// Commands that several processes of an MPI launcher may run together.
#pragma once

#include <string>

#include "apps/common/command.h"
#include "landscape/distributed/process_group.h"

namespace topograd {

/// Base of such a command; run() is run_distributed() in a group of one process.
class DistributedCommand : public cli::Command {
 public:
  /// Runs the command together with the other processes of the group; returns the exit status.
  virtual int run_distributed(const std::string& typed, ProcessGroup& group) = 0;

  int run(const std::string& typed) final { return run_distributed(typed, *single_process()); }
};

}  // namespace topograd
