// The options that landscape surface, line, plane and trajectory share.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/common/options.h"
#include "apps/common/run_flags.h"
#include "apps/landscape/common/figure_flags.h"
#include "apps/landscape/common/loss_flags.h"
#include "apps/landscape/surface/batchnorm_flags.h"
#include "apps/landscape/surface/compatibility_flags.h"
#include "landscape/surface/surface_settings.h"

namespace topograd {

struct SurfaceFlags {
  std::string model;                          ///< the checkpoint at the origin
  std::optional<std::string> expected_model;  ///< its network's name, or it is refused
  std::optional<std::string> output;
  std::string dir_file;
  ImageSelection images;
  SurfaceSettings settings;  ///< all that does not depend on the model
  LossesFlag losses;
  BatchnormFlags batchnorm;
  PictureFlags pictures;
  cli::RunFlags run;
  std::vector<std::string> notes;  ///< printed before anything is computed
  bool dry_run = false;            ///< nothing is computed but how long it would take

  // Each command declares these in the order of its --help, with its own options in between.

  /// Declares --x, and --y unless `line`, in the group "Points".
  void add_points(cli::Options& options, const std::string& default_x, bool line = false);
  /// Declares --dir-type, --bn, --bn-batch, --data ... --loss, --output and the options of
  /// pictures, --device ... --help.
  void add_rest(cli::Options& options, const std::string& output_help);
  /// Declares --model-file, another spelling of the first argument.
  void add_model_file(cli::Options& options);

  /// Throws Error where the options contradict one another, or ask for what this machine lacks.
  void check(const cli::Options& options);

 private:
  void add_data(cli::Options& options);
  void add_output(cli::Options& options, const std::string& output_help);
  void add_run(cli::Options& options);

  CompatibilityFlags compatibility_;
};

/// Throws Error, which says `why`, if there are words: the command line has too many.
void refuse_more(const std::vector<std::string>& words, const std::string& why);

/// Return the choices of --norm and --ignore.
std::vector<std::pair<std::string, DirectionNorm>> norm_choices();
std::vector<std::pair<std::string, Ignore>> ignore_choices();

}  // namespace topograd
