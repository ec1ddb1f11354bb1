// Checkpoints: a network, and where it stands in its training, as one safetensors file.
//
// Tensors carry PyTorch's names and shapes (OIHW), so torch.load-style tools read the weights as
// they are. Tensors that training needs beside them are called "optimizer.momentum.<name>",
// "optimizer.second_moment.<name>", "average.ema.<name>", "average.swa.<name>". The metadata say
// which model, which normalisation, which run.
#pragma once

#include <map>
#include <string>

#include "kernels/augment/labelled_images.h"
#include "nn/safetensors.h"
#include "nn/trainer.h"

namespace topograd {

/// A checkpoint's description of itself, beside its tensors.
struct CheckpointInfo {
  std::string model;            ///< the model's description, JSON (models/registry.h)
  Normalisation normalisation;  ///< mean and deviation the images are standardised by
  std::string config;           ///< the training configuration, JSON; empty for imported networks
  std::map<std::string, std::string> notes;  ///< free: version, command, data hash, source
};

/// A checkpoint file read into memory. The model's description leads to its graph, the graph's
/// layout to the flat vectors.
class Checkpoint {
 public:
  /// Reads a file. Throws Error where it is not one of our checkpoints.
  static Checkpoint read(const std::string& path);

  const CheckpointInfo& info() const { return info_; }
  /// Whether training can continue from it.
  bool has_training_state() const;

  /// The network's numbers alone, in the layout's order. Throws Error naming the first tensor that
  /// is missing, has another shape, or is one too many.
  ModelState weights(const ParameterLayout& layout) const;
  /// All that Trainer::restore wants. Throws Error where the file holds weights only.
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

/// Hash of weights and running statistics, for provenance.
std::string weights_hash(const Tensor& theta, const Tensor& running_stats);

}  // namespace topograd
