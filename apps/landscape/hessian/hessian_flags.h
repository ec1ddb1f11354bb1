// The options of landscape hessian.
#pragma once

#include <optional>
#include <string>

#include "apps/common/options.h"
#include "apps/common/run_flags.h"
#include "apps/landscape/common/loss_flags.h"
#include "apps/landscape/common/surface_map_flags.h"
#include "landscape/curvature/curvature_analysis.h"

namespace topograd {

struct HessianFlags {
  std::string model;                          ///< the checkpoint
  std::optional<std::string> expected_model;  ///< its network's name, or it is refused
  std::optional<std::string> output;
  ImageSelection images;
  LossFlag loss;
  CurvatureSelection curvature;
  CurvatureSettings settings;
  bool no_vectors = false;
  bool dry_run = false;
  SurfaceMapFlags map;
  cli::RunFlags run;

  void add_to(cli::Options& options);
  /// Throws Error where options contradict one another.
  void check(const cli::Options& options);
};

/// Declares --curvature, --parameters, --layers, --bn, --bn-batch in the group "Curvature".
void add_curvature_options(cli::Options& options, CurvatureSelection& selection);

}  // namespace topograd
