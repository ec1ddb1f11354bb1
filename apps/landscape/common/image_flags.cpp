#include "apps/landscape/common/image_flags.h"

#include "apps/common/normalisation_flags.h"

namespace topograd {

void add_image_options(cli::Options& options, ImageSelection& selection) {
  options.group("Data")
      .folder("data,datapath", selection.source,
              "synthetic, or a folder, see train --help (default: what the model was trained on)")
      .choice("split", selection.split,
              {{"train", Split::train}, {"test", Split::test}, {"both", Split::both}},
              "train, test or both")
      .flag("noisy-labels", selection.noisy_labels,
            "training images with the noisy labels that the checkpoint was trained with (train "
            "--label-noise); else all with their own")
      .integer("images", selection.count, {0, 1 << 30}, "use only n images of each split (0: all)")
      .choice("subset", selection.stratified, {{"first", false}, {"stratified", true}},
              "which n: first, or stratified: a random choice with each class's share as in the "
              "whole split (default: first, with --target-se stratified)")
      .seed("subset-seed", selection.subset_seed, "of that choice (default: 1)")
      .integer("data-split", selection.parts, {1, 1 << 30},
               "use one of n random parts of the images (default: 1)")
      .integer("split-idx", selection.part, {0, 1 << 30}, "which part");
  cli::add_normalisation_options(options, selection.normalisation, "the model's");
}

void add_population_option(cli::Options& options, ImageSelection& selection) {
  options.group("Data").choice(
      "population", selection.population, {{"set", Population::set}, {"kind", Population::kind}},
      "what standard errors refer to: set, the mean over the split's own images (all of them have "
      "none), or kind, that over all images of their kind (default: training images set, test "
      "images kind)");
}

}  // namespace topograd
