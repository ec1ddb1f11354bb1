// The images a surface is computed over.
#pragma once

#include <string>
#include <vector>

#include "apps/common/cli.h"
#include "apps/common/model_file.h"
#include "apps/common/options.h"
#include "landscape/evaluation/image_selection.h"

namespace topograd {

/// Declares --data, --split, --noisy-labels, --images, --subset, --subset-seed, --data-split and
/// --split-idx in the group "Data".
void add_image_options(cli::Options& options, ImageSelection& selection);

using SurfaceImages = ImageSets;

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
