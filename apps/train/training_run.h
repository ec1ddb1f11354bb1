// One training run in its folder: log.csv, last.safetensors (to continue from), model.safetensors
// (the result), epoch_<n>.safetensors, ema.safetensors and swa.safetensors where asked for.
#pragma once

#include "apps/train/run_config.h"
#include "data/dataset.h"
#include "landscape/results/observer.h"

namespace topograd {

/// Trains to the end. The observer's notes are the run's log, a line for every epoch. If it asks to
/// stop, saves everything and throws Interrupted.
void run_training(const RunSettings& settings, const DataSplits& data, ThreadPool& pool,
                  Observer& observer);

/// Says, as notes, what run_training() would do and for how long about; writes nothing.
void plan_training(const RunSettings& settings, const DataSplits& data, ThreadPool& pool,
                   Observer& observer);

}  // namespace topograd
