// The choice of images that a quantity is computed over.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "landscape/results/provenance.h"
#include "models/loaded_model.h"

namespace topograd {

enum class Split { train, test, both };

/// Images that a mean over some of them is an estimate for: those of the split, or all of their
/// kind, of which the split is a sample itself.
enum class Population { set, kind };

/// A choice of images from a data set.
struct ImageSelection {
  std::string source{};  ///< data set, see DataSpec::source; empty: what the model was trained on
  Split split = Split::train;
  bool noisy_labels = false;  ///< training images have the noisy labels of the training
  int64_t count = 0;          ///< images of each split; 0: all
  /// Stratified sampling: a random choice with each class's share as in the whole split, instead
  /// of the first images; empty: equal to `stops_early`.
  std::optional<bool> stratified{};
  std::optional<uint64_t> subset_seed{};  ///< seed of the stratified choice; empty: 1
  std::optional<int64_t> parts{};         ///< chooses one of that many random parts of equal size
  int64_t part = 0;                       ///< index of that part, from 0
  /// Images that standard errors refer to. Empty: of training images the set, whose mean loss is
  /// what training minimises; of test images the kind, which they stand for.
  std::optional<Population> population{};
  /// Whether a point takes only as many images as a standard error needs: the first images should
  /// then represent all of them.
  bool stops_early = false;
  /// Constants in place of those that the model was trained with.
  std::optional<Normalisation> normalisation{};
  bool shuffled = false;  ///< random order, for folders of images, which come class by class
};

/// The chosen images.
struct ImageSets {
  std::vector<std::string> names;    ///< names of the sets: "train", "test"
  std::vector<LabelledImages> sets;  ///< normalised as the model expects
  /// Number of images that each set was chosen from and stands for; 0, or empty: all of their kind.
  std::vector<int64_t> populations;
  std::string description;            ///< "CIFAR-10 training"
  std::string subset;                 ///< how the images were chosen; empty: the first, or a part
  std::string normalisation;          ///< constants that are not the model's; empty: they are
  bool normalisation_chosen = false;  ///< whether the selection has constants, any model's or not

  /// Returns the population of one of the sets.
  int64_t population(size_t set) const { return populations.empty() ? 0 : populations[set]; }

  /// Returns the accuracy of a guess among so many classes, percent; 0 where images have numbers.
  double chance(int64_t classes) const {
    return sets.front().labels.dtype() == DType::i32 ? 100.0 / static_cast<double>(classes) : 0;
  }

  /// Sets data, data_hash, images and, unless they are empty, subset and normalisation.
  void describe(Provenance& provenance) const;
  /// Sets population ("train 50000"), where a set stands for the split that it was chosen from;
  /// standard errors depend on it.
  void describe_populations(Provenance& provenance) const;
};

/// Returns the population that the selection means for training or for test images.
Population population_of(const ImageSelection& selection, bool training);

/// Throws Error if the selection contradicts itself; select_images() calls it.
void check(const ImageSelection& selection);

/// Reads the data and chooses images. Throws Error if they do not fit the model, or there are too
/// few.
ImageSets select_images(const ImageSelection& selection, const LoadedModel& model);

/// Returns a note that the labels are clean if the model was trained on noisy ones and the
/// selection does not ask for these; else "".
std::string clean_labels_note(const ImageSelection& selection, const LoadedModel& model);

}  // namespace topograd
