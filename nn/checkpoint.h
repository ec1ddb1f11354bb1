// Checkpoints: a network, and where it stands in its training, as one safetensors file.
//
// Tensors carry PyTorch's names and shapes (OIHW), so torch.load-style tools read the weights as
// they are. What training needs beside them is called "optimizer.momentum.<name>",
// "optimizer.second_moment.<name>", "average.ema.<name>", "average.swa.<name>". The metadata say
// which model, which normalisation, which run.
#pragma once

#include <map>
#include <string>

#include "kernels/augment/labelled_images.h"
#include "nn/safetensors.h"
#include "nn/trainer.h"

namespace topograd {

/// What a checkpoint says about itself, beside its tensors.
struct CheckpointInfo {
  std::string model;            ///< the model's description, JSON (models/registry.h)
  Normalisation normalisation;  ///< what the network expects of its images
  std::string config;           ///< the training configuration, JSON; empty for imported networks
  std::map<std::string, std::string> notes;  ///< free: version, command, data hash, source
};

/// A checkpoint file read into memory. The model's description leads to its graph, the graph's
/// layout to the flat vectors.
class Checkpoint {
 public:
  /// Throws Error where the file is not one of our checkpoints.
  static Checkpoint read(const std::string& path);

  const CheckpointInfo& info() const { return info_; }
  /// True for a checkpoint that training can continue from.
  bool has_training_state() const;

  /// The network's numbers alone, in the layout's order. Throws Error naming the first tensor that is
  /// missing, has another shape, or is one too many.
  ModelState weights(const ParameterLayout& layout) const;
  /// Everything that Trainer::restore wants.
  TrainingState training_state(const ParameterLayout& layout) const;

 private:
  Tensor gather(const std::vector<ParameterEntry>& entries, int64_t size,
                const std::string& prefix) const;

  std::string path_;
  CheckpointInfo info_;
  SafetensorsFile file_;
};

/// Writes weights and, where `with_training_state`, all that continuing needs; atomically.
void write_checkpoint(const std::string& path, const ParameterLayout& layout,
                      const TrainingState& state, const CheckpointInfo& info,
                      bool with_training_state);

/// A hash of weights and running statistics, for provenance.
std::string weights_hash(const Tensor& theta, const Tensor& running_stats);

}  // namespace topograd
