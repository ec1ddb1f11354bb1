// The options that say which images a quantity is computed over.
#pragma once

#include "apps/common/options.h"
#include "landscape/evaluation/image_selection.h"

namespace topograd {

/// Declares --data, --split, --noisy-labels, --images, --subset, --subset-seed, --data-split,
/// --split-idx, --normalisation, --mean and --std in the group "Data".
void add_image_options(cli::Options& options, ImageSelection& selection);

/// Declares --population there, for commands that state standard errors over images.
void add_population_option(cli::Options& options, ImageSelection& selection);

}  // namespace topograd
