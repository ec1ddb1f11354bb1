// The images a surface is computed over.
#pragma once

#include <string>
#include <vector>

#include "apps/cli.h"
#include "apps/model_file.h"
#include "landscape/provenance.h"

namespace topograd {

struct SurfaceImages {
  std::vector<std::string> names;    ///< of the sets: "train", "test"
  std::vector<LabelledImages> sets;  ///< normalised as the model expects
  std::string description;           ///< "CIFAR-10 training"
  std::string subset;                ///< how they were chosen; empty: the first, or a part

  /// What they are, for a surface's file.
  void describe(Provenance& provenance) const;
};

/// Declares the flags that surface_images() reads, but --target-se, in the group "Data". `split` is
/// what --split is by default.
void add_image_flags(cxxopts::Options& options, const char* split = "train");

/// What --data, --split, --noisy-labels, --images, --subset, --subset-seed, --data-split and
/// --split-idx ask for; in random order where `shuffled` (folders of images come class by class).
/// Throws Error where the model cannot be fed with them, or there are not enough.
SurfaceImages surface_images(const cxxopts::ParseResult& flags, const LoadedModel& model,
                             bool shuffled);

/// Says that labels are clean where the model was trained on noisy ones and --noisy-labels did not
/// ask for these.
void note_clean_labels(const cxxopts::ParseResult& flags, const SurfaceImages& images,
                       const LoadedModel& model);

}  // namespace topograd
