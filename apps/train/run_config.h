// The settings of a training run, and what of them decides its result, as text.
#pragma once

#include <string>

#include "data/dataset.h"
#include "kernels/core/device.h"
#include "models/registry.h"
#include "nn/trainer.h"

namespace topograd {

struct RunSettings {
  ModelSpec model;
  TrainingConfig training;
  double label_noise = 0;  ///< fraction of the training labels that are replaced
  std::string folder = "runs/train";
  std::string command;           ///< for provenance
  bool resume = false;           ///< continue where last.safetensors stands, or begin
  int64_t checkpoint_every = 0;  ///< keep every n-th epoch's weights; 0: none
  double save_seconds = 60;      ///< how often last.safetensors is renewed within an epoch
};

/// Describes a run as one line of JSON: two runs with equal text and equal data end in the same
/// weights. The data are named by the hash of `train` as it was read, without noise.
std::string config_json(const RunSettings& settings, const Dataset& train, Device device);

/// Throws Error that names what differs between the saved run's configuration and this one's.
void require_same_config(const std::string& path, const std::string& saved,
                         const std::string& asked);

}  // namespace topograd
