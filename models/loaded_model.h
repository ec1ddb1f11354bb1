// A trained network: a checkpoint file with its graph.
#pragma once

#include <string>

#include "models/registry.h"
#include "nn/checkpoint.h"

namespace topograd {

struct LoadedModel {
  std::string path;
  ModelSpec spec;
  Graph graph;
  CheckpointInfo info;
  ModelState weights;
  bool has_training_state = false;
};

/// Reads a checkpoint and builds its graph, or returns the network of such a name in memory
/// (InMemory<LoadedModel>). `expected`, where not empty, must be its model's name.
/// Throws Error where the file is no checkpoint, or its model or normalisation makes no sense.
LoadedModel load_model(const std::string& path, const std::string& expected = {});

/// Returns the same network with a copy of other weights, under another name.
LoadedModel with_weights(const LoadedModel& model, const ModelState& weights,
                         const std::string& path);

/// Returns the network that a file describes: a graph's file (.json), or a checkpoint, of which the
/// weights are left. Throws Error that names the file where it is neither.
ModelSpec model_spec_of_file(const std::string& path);

/// Returns whether the name of a network is that of a file which describes one.
bool names_model_file(const std::string& name);

/// Describes a model for a reader: "resnet56_noshort (option B, width 16)".
std::string describe(const ModelSpec& spec);

/// Throws Error that says in what two checkpoints differ, and `then` ("no line joins them"), unless
/// they hold the same network.
void require_same_network(const LoadedModel& one, const LoadedModel& other,
                          const std::string& then);

}  // namespace topograd
