// Which images a quantity is computed over.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "kernels/augment/labelled_images.h"
#include "landscape/results/provenance.h"
#include "models/loaded_model.h"

namespace topograd {

enum class Split { train, test, both };

/// What to choose from a data set.
struct ImageSelection {
  std::string source = "synthetic";  ///< as DataSpec's
  Split split = Split::train;
  bool noisy_labels = false;  ///< training images with the labels that the network was trained with
  int64_t count = 0;          ///< images of each split; 0: all
  /// Whether these are a random choice with each class's share as in the whole split, and not the
  /// first ones; empty: where `stops_early`.
  std::optional<bool> stratified{};
  std::optional<uint64_t> subset_seed{};  ///< of that choice; 1 where it is empty
  std::optional<int64_t> parts{};         ///< one of that many random parts of the images ...
  int64_t part = 0;                       ///< ... counted from 0
  /// Whether a point takes no more images than a standard error needs: the first ones should then
  /// stand for all of them.
  bool stops_early = false;
  bool shuffled = false;  ///< in random order: folders of images come class by class
};

/// The chosen images.
struct ImageSets {
  std::vector<std::string> names;    ///< of the sets: "train", "test"
  std::vector<LabelledImages> sets;  ///< normalised as the model expects
  std::string description;           ///< "CIFAR-10 training"
  std::string subset;                ///< how they were chosen; empty: the first, or a part

  /// Sets data, data_hash, images and, where it says something, subset.
  void describe(Provenance& provenance) const;
};

/// Throws Error where the selection contradicts itself; select_images() does so, too.
void check(const ImageSelection& selection);

/// Reads the data and chooses. Throws Error where the model cannot be fed with them, or there are
/// not enough.
ImageSets select_images(const ImageSelection& selection, const LoadedModel& model);

/// Returns a line for the reader saying that labels are clean, where the model was trained on noisy
/// ones and the selection does not ask for these; else nothing.
std::string clean_labels_note(const ImageSelection& selection, const LoadedModel& model);

}  // namespace topograd
