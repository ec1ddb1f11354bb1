#include "apps/landscape/commands.h"

#include "apps/landscape/coherence/coherence_command.h"
#include "apps/landscape/connect/connect_command.h"
#include "apps/landscape/hessian/hessian_command.h"
#include "apps/landscape/plane/plane_command.h"
#include "apps/landscape/sharpness/sharpness_command.h"
#include "apps/landscape/surface/surface_command.h"
#include "apps/landscape/trajectory/trajectory_command.h"

namespace topograd {

const std::vector<cli::CommandEntry>& landscape_commands() {
  static const std::vector<cli::CommandEntry> kCommands = {
      {"surface", "MODEL.safetensors | RUN", "losses on a plane through the network",
       cli::make_command<SurfaceCommand>},
      {"line", "MODEL.safetensors [OTHER.safetensors]",
       "losses along a line, or on the way to another network, and the barrier",
       cli::make_command<LineCommand>},
      {"plane", "A B C | MODEL.safetensors",
       "losses on the plane through three networks, or along eigenvectors, the gradient, a file's "
       "directions",
       cli::make_command<PlaneCommand>},
      {"trajectory", "RUN", "a training's path on the plane of its principal components",
       cli::make_command<TrajectoryCommand>},
      {"hessian", "MODEL.safetensors", "the curvature's eigenvalues, trace and density",
       cli::make_command<HessianCommand>},
      {"sharpness", "MODEL...", "measures of how sharp the minima of networks are",
       cli::make_command<SharpnessCommand>},
      {"coherence", "MODEL.safetensors...", "how well minibatches' gradients agree",
       cli::make_command<CoherenceCommand>},
      {"connect", "A.safetensors B.safetensors", "losses on paths between two networks",
       cli::make_command<ConnectCommand>},
  };
  return kCommands;
}

}  // namespace topograd
