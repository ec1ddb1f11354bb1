// The options of landscape sharpness.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/common/options.h"
#include "apps/common/run_flags.h"
#include "apps/landscape/common/loss_flags.h"
#include "landscape/evaluation/image_selection.h"
#include "landscape/sharpness/panel_measures.h"

namespace topograd {

struct SharpnessFlags {
  std::vector<std::string> models;    ///< the checkpoints
  std::vector<std::string> surfaces;  ///< one for each of them, or none
  SharpnessSettings settings;
  ImageSelection images;
  LossFlag loss;
  bool reparametrisation_test = false;
  double factor = 10;              ///< factor of the rescaling
  double unchanged_within = 0.02;  ///< a ratio this near to 1 counts as unchanged
  std::optional<std::string> output, json;
  bool no_pictures = false;
  bool dry_run = false;
  cli::RunFlags run;

  void add_to(cli::Options& options);
  /// Completes the settings. Throws Error where options contradict one another.
  void check();
  /// Returns a file for every network, named after it, and after its folder too if names repeat.
  /// Makes the folder that --output names.
  std::vector<std::string> outputs() const;
};

}  // namespace topograd
