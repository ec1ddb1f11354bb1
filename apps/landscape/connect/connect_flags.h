// The options of landscape connect.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/common/options.h"
#include "apps/common/run_flags.h"
#include "apps/landscape/common/loss_flags.h"
#include "landscape/connectivity/connectivity_analysis.h"

namespace topograd {

struct ConnectFlags {
  std::vector<std::string> models;            ///< the two checkpoints
  std::optional<std::string> expected_model;  ///< their network's name, or they are refused
  std::optional<std::string> output_file, control, save_aligned;
  ConnectivitySettings settings;
  CurveTrainingSettings curve;  ///< 0 epochs: no curve
  LossFlag loss;
  ImageSelection images{.split = Split::both};
  std::optional<int64_t> curve_images;
  bool no_augment = false, no_pictures = false, dry_run = false;
  cli::RunFlags run;

  ConnectFlags() { curve.config.epochs = 0; }
  void add_to(cli::Options& options);
  /// Completes the settings. Throws Error where options contradict one another.
  void check();

  /// Returns the file of the results: --output, or a name made of both networks'.
  std::string output() const;
  /// Returns the output without its ending.
  std::string stem() const;
};

}  // namespace topograd
