// landscape coherence: how well minibatch gradients agree, at networks or all over a surface.
#pragma once

#include <string>

#include "apps/common/cli.h"
#include "apps/landscape/common/image_flags.h"
#include "landscape/coherence/coherence.h"

namespace topograd {

cxxopts::Options coherence_flags();

/// `command` is what the user typed, for the file.
int run_coherence(const cxxopts::ParseResult& flags, const std::string& command);

/// What --batches, --batch-size, --bn, --loss and --seed ask for, of a model's images.
struct CoherenceChoice {
  explicit CoherenceChoice(const cxxopts::ParseResult& flags);
  CoherenceSpec spec(const Graph& graph, const LabelledImages& images) const;
  /// What the file keeps of it.
  void describe(Provenance& provenance) const;

  int64_t batches, batch_size;
  std::string bn;
  LossKind loss;
  uint64_t seed;
};

/// The images of one split that the flags choose for a model.
SurfaceImages coherence_images(const cxxopts::ParseResult& flags, const LoadedModel& model);

}  // namespace topograd
