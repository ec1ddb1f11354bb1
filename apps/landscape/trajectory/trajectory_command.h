// landscape trajectory: the path of a training in the plane of its principal components, and the
// loss on that plane.
#pragma once

#include <string>

#include "apps/landscape/common/distributed_command.h"
#include "apps/landscape/trajectory/trajectory_flags.h"

namespace topograd {

class TrajectoryCommand : public DistributedCommand {
 public:
  void add_options(cli::Options& options) override { flags_.add_to(options); }
  void check(const cli::Options& options) override { flags_.check(options); }
  int run_distributed(const std::string& typed, ProcessGroup& group) override;

 private:
  TrajectoryFlags flags_;
};

}  // namespace topograd
