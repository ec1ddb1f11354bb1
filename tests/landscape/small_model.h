// A small network of random weights, as it comes from a checkpoint's file.
#pragma once

#include "models/loaded_model.h"
#include "tests/landscape/landscape_check.h"
#include "tests/nn/nn_check.h"

namespace topograd::test {

/// A ResNet-8 of width 4 for the synthetic images.
inline LoadedModel small_model(uint64_t seed) {
  const ModelSpec spec = with_size({.name = "resnet8"}, 0, 4);
  Graph graph = build_model(spec);
  Weights weights = random_weights(graph, seed);
  LoadedModel model{.path = "small.safetensors",
                    .spec = spec,
                    .graph = std::move(graph),
                    .info = {.model = to_json(spec),
                             .normalisation = {{120, 120, 120}, {60, 60, 60}},
                             .config = "",
                             .notes = {}},
                    .weights = {}};
  model.weights.theta = weights.theta;
  model.weights.running_stats = weights.running_stats;
  return model;
}

/// Writes it, as a checkpoint of so many epochs where that is not negative.
inline void save(const LoadedModel& model, const std::string& path, int epoch = -1) {
  CheckpointInfo info = model.info;
  if (epoch >= 0) info.notes["epoch"] = std::to_string(epoch);
  TrainingState state;
  state.theta = model.weights.theta;
  state.running_stats = model.weights.running_stats;
  write_checkpoint(path, model.graph.layout(), state, info, false);
}

}  // namespace topograd::test
