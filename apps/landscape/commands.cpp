#include "apps/landscape/commands.h"

#include "apps/landscape/hessian/hessian_command.h"

namespace topograd {

const std::vector<cli::CommandEntry>& landscape_commands() {
  static const std::vector<cli::CommandEntry> kCommands = {
      {"hessian", "MODEL.safetensors", "the curvature's eigenvalues, trace and density",
       cli::make_command<HessianCommand>},
  };
  return kCommands;
}

}  // namespace topograd
