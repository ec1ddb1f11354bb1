// The settings of a training run, and those that decide its result, as text.
#pragma once

#include <string>

#include "data/dataset.h"
#include "kernels/core/device.h"
#include "models/registry.h"
#include "nn/trainer.h"

namespace topograd {

struct RunSettings {
  ModelSpec model;
  Normalisation normalisation;  ///< what the images are normalised by
  TrainingConfig training;
  double label_noise = 0;  ///< fraction of the training labels that are replaced
  std::string folder = "runs/train";
  std::string command;           ///< as the user wrote it, for the provenance
  bool resume = false;           ///< continue from last.safetensors, if it exists
  int64_t checkpoint_every = 0;  ///< keep every n-th epoch's weights; 0: none
  double save_seconds = 60;      ///< how often last.safetensors is renewed within an epoch
};

/// Describes a run as one line of JSON: runs with equal text end in the same weights. The hash of
/// `train` as it was read, without label noise, stands for the data.
std::string config_json(const RunSettings& settings, const Dataset& train, Device device);

/// Throws Error, which names the difference, unless the saved run's configuration equals this one.
void require_same_config(const std::string& path, const std::string& saved,
                         const std::string& asked);

}  // namespace topograd
