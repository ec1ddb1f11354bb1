// The coherence of minibatch gradients at several networks: a computation that keeps each of them
// in a file when it is done, and continues that file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernels/core/thread_pool.h"
#include "landscape/coherence/coherence_results.h"
#include "landscape/evaluation/image_selection.h"
#include "landscape/results/observer.h"

namespace topograd {

struct CoherenceSettings {
  std::optional<int64_t> batches{};     ///< minibatches whose gradients are compared; see fitted()
  std::optional<int64_t> batch_size{};  ///< images in each; see fitted()
  BatchnormMode batchnorm = BatchnormMode::frozen;
  Loss loss{};
  uint64_t seed = 1;  ///< seed of the choice of images

  /// Returns the settings with what is empty chosen for so many images: 16 minibatches of 64; where
  /// there are fewer images, as many of 64 as there are, but at least 4, which are then smaller.
  CoherenceSettings fitted(int64_t images) const;

  // Members below are for settings that are fitted.

  /// Returns "16 minibatches of 64 images".
  std::string minibatches() const;
  /// Returns what the computation takes: these settings, a graph, images.
  CoherenceSpec spec(const Graph& graph, const LabelledImages& images) const;
  /// Sets batches, batch_size, bn_mode, loss and seed.
  void describe(Provenance& provenance) const;
};

/// Returns the images of one split that the selection means for a model. Throws Error where it
/// means both.
ImageSets select_coherence_images(const ImageSelection& selection, const LoadedModel& model);

/// Computes what the file at `output` lacks of the checkpoints `models`, one after the other, and
/// saves each as it is done; all are read first, so that a wrong one is refused before anything is
/// computed. `expected_model`, where not empty, is what they must be; `run` says how this was asked
/// for (describe_run). Throws Error where two checkpoints hold the same network, there are too few
/// images, or the file has other networks, images or settings; Interrupted where the observer asks
/// to stop.
CoherenceResults analyse_coherence(const CoherenceSettings& settings,
                                   const std::vector<std::string>& models,
                                   const std::string& expected_model,
                                   const ImageSelection& selection, const Provenance& run,
                                   const std::string& output, ThreadPool& pool, Observer& observer);

/// Networks of which analyse_coherence() has the gradients ahead.
struct CoherenceAhead {
  CoherenceSettings settings;  ///< fitted
  LoadedModel first;           ///< the first of all networks
  ImageSets images;            ///< its
  size_t networks = 0, done = 0;
};

/// Returns what it would compute: what the file at `output` lacks. Throws Error as it does, and
/// writes nothing.
CoherenceAhead coherence_ahead(const CoherenceSettings& settings,
                               const std::vector<std::string>& models,
                               const std::string& expected_model, const ImageSelection& selection,
                               const Provenance& run, const std::string& output, ThreadPool& pool);

}  // namespace topograd
