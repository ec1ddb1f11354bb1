// The options of landscape coherence.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/common/options.h"
#include "apps/common/run_flags.h"
#include "apps/landscape/common/loss_flags.h"
#include "apps/landscape/common/surface_map_flags.h"
#include "landscape/coherence/coherence_analysis.h"

namespace topograd {

struct CoherenceFlags {
  std::vector<std::string> models;            ///< the checkpoints
  std::optional<std::string> expected_model;  ///< their network's name, or they are refused
  std::optional<std::string> output;
  CoherenceSettings settings;
  ImageSelection images;
  LossFlag loss;
  bool per_layer = false;  ///< print the layers, too
  bool dry_run = false;
  SurfaceMapFlags map;
  cli::RunFlags run;

  void add_to(cli::Options& options);
  /// Throws Error where options contradict one another.
  void check();
};

}  // namespace topograd
