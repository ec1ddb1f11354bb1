// The options of train.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/common/options.h"
#include "apps/common/run_flags.h"
#include "apps/train/training_run.h"
#include "data/load.h"

namespace topograd {

struct TrainFlags {
  RunSettings run;                             ///< complete after check()
  DataSpec data{.source = ""};                 ///< no source: that of the checkpoint that is named
  std::optional<Normalisation> normalisation;  ///< in place of the data's, or a checkpoint's
  cli::RunFlags device;
  bool list_models = false, print_model = false, list_recipes = false, show_version = false;

  std::optional<std::string> from;  ///< checkpoint whose network and weights training begins with
  std::optional<Loss> loss;         ///< if typed, without --label-smoothing and --class-weights
  std::string class_weights;        ///< "balanced", or numbers with commas; empty: none
  bool dry_run = false;             ///< nothing is trained but what says for how long it would take
  bool model_typed = false;         ///< whether any option said which network
  std::optional<std::string> evaluate;  ///< checkpoint to evaluate, instead of training
  std::optional<std::string> compare;   ///< file of what another program says of that network
  bool on_training_images = false, noisy_labels = false;
  std::optional<std::string> expected_model;    ///< network of that checkpoint, if typed
  std::optional<int64_t> synthetic_image_size;  ///< pixels, if typed

  void add_to(cli::Options& options);
  /// Completes the settings. Throws Error if they contradict one another, or a typed option has no
  /// effect.
  void check(const cli::Options& options);

 private:
  void add_model_options(cli::Options& options);
  void add_data_options(cli::Options& options);
  void add_training_options(cli::Options& options);
  void add_schedule_options(cli::Options& options);
  void add_run_options(cli::Options& options);
  void complete_training();

  int depth_ = 0;
  std::optional<double> rate_, ema_, label_smoothing_;
  std::optional<std::vector<double>> drops_;
  std::optional<int64_t> swa_start_;
  std::string recipe_;
  bool no_augment_ = false, no_nesterov_ = false;
};

}  // namespace topograd
