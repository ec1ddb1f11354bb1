// One training run in its folder: log.csv, last.safetensors (to continue from), model.safetensors
// (the result), epoch_<n>.safetensors, ema.safetensors and swa.safetensors where asked for.
#pragma once

#include <string>

#include "data/dataset.h"
#include "models/registry.h"
#include "nn/trainer.h"

namespace topograd {

struct RunOptions {
  ModelSpec model;
  TrainingConfig training;
  double label_noise = 0;  ///< fraction of the training labels that are replaced
  std::string folder;
  std::string command;           ///< for provenance
  bool resume = false;           ///< continue where last.safetensors stands, or begin
  int64_t checkpoint_every = 0;  ///< keep every n-th epoch's weights; 0: none
  double save_seconds = 60;      ///< how often last.safetensors is renewed within an epoch
};

/// What decides the result of a run, as one line of JSON: two runs with equal text and equal data
/// end in the same weights. The data are named by the hash of `train` as it was read, without
/// noise.
std::string config_json(const RunOptions& options, const Dataset& train, Device device);

/// Trains to the end, or to an interruption, which leaves everything saved.
/// Returns the process's exit status.
int run_training(const RunOptions& options, const DataSplits& data, ThreadPool& pool);

}  // namespace topograd
