// The settings of a training run, and those that decide its result, as text.
#pragma once

#include <optional>
#include <string>

#include "data/dataset.h"
#include "kernels/core/device.h"
#include "models/loaded_model.h"
#include "nn/trainer.h"

namespace topograd {

struct RunSettings {
  ModelSpec model;
  Normalisation normalisation;  ///< what the images are normalised by
  TrainingConfig training;
  std::optional<LoadedModel> start;  ///< network whose weights the run begins with; none: random
  double label_noise = 0;            ///< fraction of the training labels that are replaced
  std::string folder = "runs/train";
  std::string data_source;       ///< where the images come from, as DataSpec's, for the checkpoint
  std::string command;           ///< as the user wrote it, for the provenance
  bool resume = false;           ///< continue from last.safetensors, if it exists
  int64_t checkpoint_every = 0;  ///< keep every n-th epoch's weights; 0: none
  double save_seconds = 60;      ///< how often last.safetensors is renewed within an epoch
};

/// Describes a run as one line of JSON: runs with equal text end in the same weights. The hash of
/// `train` as it was read, without label noise, stands for the data.
std::string config_json(const RunSettings& settings, const Dataset& train, Device device);

/// Throws Error, which names the difference, unless the configuration of the run saved in `path`
/// equals the one asked for, or that is the same with more epochs: an extension.
void require_same_run(const std::string& path, const std::string& saved, const std::string& asked);

/// How a saved run goes on.
struct Continuation {
  std::string config;  ///< its configuration from now on
  std::string note;    ///< what an extension does to the learning rate; empty: there is none
};

/// Returns how a saved run goes on after so many steps as the run asked for, of this schedule. In
/// an extension the schedule is that of the longer run from now on. Where that has other rates in
/// the steps that are done, the configuration keeps how the run was extended. The two have passed
/// require_same_run().
Continuation continuation(const std::string& saved, const std::string& asked, Schedule schedule,
                          int64_t steps_done, int64_t steps_per_epoch);

}  // namespace topograd
