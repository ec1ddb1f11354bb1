// landscape plane: losses on a plane through three networks, along eigenvectors of the curvature,
// the gradient, or the directions of a file.
#pragma once

#include <string>

#include "apps/landscape/common/distributed_command.h"
#include "apps/landscape/plane/plane_flags.h"
#include "apps/landscape/surface/surface_run.h"

namespace topograd {

class PlaneCommand : public DistributedCommand {
 public:
  void add_options(cli::Options& options) override { flags_.add_to(options); }
  void check(const cli::Options& options) override { flags_.check(options); }
  int run_distributed(const std::string& typed, ProcessGroup& group) override;

 private:
  SurfaceDirections directions(const SurfaceInputs& inputs) const;

  PlaneFlags flags_;
};

}  // namespace topograd
