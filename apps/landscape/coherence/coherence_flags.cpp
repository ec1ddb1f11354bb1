#include "apps/landscape/coherence/coherence_flags.h"

#include "apps/common/model_file.h"
#include "apps/common/run_plan.h"
#include "apps/landscape/common/image_flags.h"

namespace topograd {

void CoherenceFlags::add_to(cli::Options& options) {
  CoherenceSettings& s = settings;
  options
      .about(
          "How well the gradients of minibatches agree: their norms, cosines and ratio of signal "
          "to "
          "noise at each network, layer by layer too, or all over a surface.")
      .positionals("MODEL", models, "checkpoints, or trainings' folders: their networks")
      .group("Gradients")
      .integer("batches", s.batches, {2, 100'000},
               "how many minibatches; their gradients are kept, 4 bytes a parameter each (default: "
               "16, or as many of 64 images as there are, but at least 4)")
      .integer("batch-size", s.batch_size, {1, 1 << 20},
               "images of each; no image is in two of them (default: 64, or fewer so that all "
               "minibatches are full)")
      .choice("bn", s.batchnorm,
              {{"frozen", BatchnormMode::frozen}, {"batch", BatchnormMode::batch}},
              "BatchNorm: frozen, the running statistics; batch, each minibatch's own, as in "
              "training")
      .seed("seed", s.seed, "of the choice of images");
  add_image_options(options, images);
  loss.add_to(options);
  map.add_to(options);
  options.group("Output")
      .file("output,o", output, "the results' HDF5 file; what it lacks is computed")
      .flag("per-layer", per_layer, "print a table of every network's layers, too");
  run.add_to(options);
  cli::add_dry_run_option(options, dry_run);
  options.files("models", models, "FILE,...", "the checkpoints, as the first arguments")
      .text("model", expected_model, "NAME", "refuse checkpoints unless they are this network");
}

void CoherenceFlags::check() {
  require_models(models, "coherence MODEL...");
  topograd::check(images);
  require(!map.over || models.size() == 1, "--over is for one model at a time, here are ",
          models.size());
  require(!output || !output->empty(), "--output is empty: it names an HDF5 file");
}

}  // namespace topograd
