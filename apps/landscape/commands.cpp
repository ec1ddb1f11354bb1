#include "apps/landscape/commands.h"

#include "apps/landscape/animate/animate_command.h"
#include "apps/landscape/coherence/coherence_command.h"
#include "apps/landscape/compare/compare_command.h"
#include "apps/landscape/connect/connect_command.h"
#include "apps/landscape/doctor/doctor_command.h"
#include "apps/landscape/export/export_command.h"
#include "apps/landscape/hessian/hessian_command.h"
#include "apps/landscape/ls/ls_command.h"
#include "apps/landscape/plane/plane_command.h"
#include "apps/landscape/plot/plot_command.h"
#include "apps/landscape/report/report_command.h"
#include "apps/landscape/sharpness/sharpness_command.h"
#include "apps/landscape/surface/surface_command.h"
#include "apps/landscape/trajectory/trajectory_command.h"
#include "apps/landscape/verify/verify_command.h"
#include "apps/landscape/watch/watch_command.h"

namespace topograd {

const std::vector<cli::CommandEntry>& landscape_commands() {
  using cli::make_command;
  static const std::vector<cli::CommandEntry> kCommands = {
      {"surface", "MODEL | RUN", "losses on a plane through the network",
       make_command<SurfaceCommand>},
      {"line", "MODEL [OTHER]", "losses along a line, or on the way to another network",
       make_command<LineCommand>},
      {"plane", "A B C | MODEL", "losses on the plane of three networks, or along eigenvectors",
       make_command<PlaneCommand>},
      {"trajectory", "RUN", "a training's path on the plane of its principal components",
       make_command<TrajectoryCommand>},
      {"hessian", "MODEL", "the curvature's eigenvalues, trace and density",
       make_command<HessianCommand>},
      {"sharpness", "MODEL...", "measures of how sharp the minima of networks are",
       make_command<SharpnessCommand>},
      {"coherence", "MODEL...", "how well minibatches' gradients agree",
       make_command<CoherenceCommand>},
      {"connect", "A B", "losses on paths between two networks", make_command<ConnectCommand>},

      {"plot", "FILE...", "figures of results, beside one another: SVG, PNG, PDF, LaTeX",
       make_command<PlotCommand>, "Draw"},
      {"animate", "FOLDER | FILE...", "films of surfaces, or of a camera that goes around them",
       make_command<AnimateCommand>, "Draw"},
      {"report", "RESULT...", "results of all commands as one interactive HTML page",
       make_command<ReportCommand>, "Draw"},
      {"watch", "SURFACE.h5", "a surface while it is computed: in a terminal, in a browser",
       make_command<WatchCommand>, "Draw"},

      {"ls", "RUN...", "networks and results of folders, and how to continue what is unfinished",
       make_command<LsCommand>, "Check"},
      {"doctor", "MODEL", "what would make pictures of a network's loss misleading",
       make_command<DoctorCommand>, "Check"},
      {"verify", "RESULT...", "numbers of results computed anew, and whether they are the same",
       make_command<VerifyCommand>, "Check"},

      {"compare", "FIRST.h5 OTHER.h5...", "how surfaces differ, or networks by their sharpness",
       make_command<CompareCommand>, "Compare and convert"},
      {"export", "FILE...", "results in other tools' formats: ParaView, NumPy, CSV, Blender, STL",
       make_command<ExportCommand>, "Compare and convert"},
  };
  return kCommands;
}

}  // namespace topograd
