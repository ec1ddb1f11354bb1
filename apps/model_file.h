// A network as the programs use it: a checkpoint file with its graph.
#pragma once

#include <string>

#include "data/load.h"
#include "models/registry.h"
#include "nn/checkpoint.h"

namespace topograd {

struct LoadedModel {
  std::string path;
  ModelSpec spec;
  Graph graph;
  CheckpointInfo info;
  TrainingState weights;  ///< theta and states
  bool has_training_state = false;
};

/// Reads a checkpoint and builds its graph. `expected`, where not empty, must be its model's name.
LoadedModel load_model(const std::string& path, const std::string& expected = {});

/// The path, given on the command line. Throws Error where it is empty; `usage` is how it should be
/// written: "hessian MODEL.safetensors".
std::string required_model(const std::string& path, const std::string& usage);

/// Refuses data that the model cannot be fed with.
void require_fitting_data(const ModelSpec& spec, const Dataset& data, const std::string& source);

/// The training images as the checkpoint's run saw them, with the noisy labels of train
/// --label-noise. Throws Error where that run had none, or `train`, read from `source`, are not its
/// images.
Dataset noisy_training_data(const LoadedModel& model, const Dataset& train,
                            const std::string& source);

/// Says on stderr, for `program`, that the labels are clean where the checkpoint was trained on
/// noisy ones; nothing where it was not.
void note_clean_labels(const LoadedModel& model, const std::string& program);

/// "resnet56_noshort (option B, width 16)".
std::string describe(const ModelSpec& spec);

}  // namespace topograd
