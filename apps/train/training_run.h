// One training run in its folder: log.csv, last.safetensors (to continue from), model.safetensors
// (the result), epoch_<n>.safetensors, ema.safetensors and swa.safetensors where asked for.
#pragma once

#include <string>

#include "data/dataset.h"
#include "landscape/results/observer.h"
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

/// Trains to the end. The observer's notes are the run's log, a line for every epoch; where it asks
/// to stop, everything is saved and Interrupted thrown.
void run_training(const RunSettings& settings, const DataSplits& data, ThreadPool& pool,
                  Observer& observer);

}  // namespace topograd
