#include "apps/landscape/connect/connect_flags.h"

#include <algorithm>
#include <filesystem>

#include "apps/common/model_file.h"
#include "apps/common/run_plan.h"
#include "apps/landscape/common/image_flags.h"
#include "landscape/results/result_names.h"

namespace topograd {

namespace {

namespace fs = std::filesystem;

void add_path_options(cli::Options& options, ConnectFlags& flags) {
  ConnectivitySettings& s = flags.settings;
  options.group("Paths")
      .integer("points", s.points, {2, 100'000}, "on each path, the ends among them")
      .flag("align", s.align,
            "also with B's channels in the order in which its weights are closest to A's; the "
            "curve then leads there")
      .output_file("save-aligned", flags.save_aligned,
                   "write the aligned B to this checkpoint; brings --align")
      .words("bn", s.batchnorm, "NAME,...",
             "BatchNorm on the lines: states, interpolated as the weights are; recompute, "
             "re-estimated at every point; or both. A curve's is always re-estimated")
      .integer("bn-batch", s.statistics_batch, {2, 1 << 20}, "images of a batch, to re-estimate")
      .seed("seed", s.seed, "of the alignment's orders and the curve's training");
}

void add_curve_options(cli::Options& options, ConnectFlags& flags) {
  CurveConfig& config = flags.curve.config;
  options.group("Curve")
      .integer("epochs", config.epochs, {0, 1'000'000},
               "train a quadratic Bezier curve for that many (0: none)")
      .file("control", flags.control,
            "the checkpoint of its control point, which training continues from (default: the "
            "output's name with _control)")
      .real("lr", config.schedule.base, {1e-12, 1e6}, "learning rate, which falls along a cosine")
      .real("momentum", config.momentum, {0, 1}, "of SGD")
      .real("weight-decay", config.weight_decay, {0, 1e6}, "of the networks on the curve")
      .integer("batch-size", config.batch_size, {2, 1 << 20}, "images of a step")
      .integer("curve-images", flags.curve_images, {0, 1 << 30},
               "train it on the first n training images (0: all; default: as many as --images)")
      .flag("no-augment", flags.no_augment, "no random crops and flips")
      .real("save-seconds", flags.curve.save_seconds, {0, 1e9},
            "save unfinished training that often");
}

}  // namespace

void ConnectFlags::add_to(cli::Options& options) {
  options
      .about(
          "The loss on paths from network A to network B: the straight line, the line to B with "
          "its "
          "channels aligned to A's, and a trained curve. How high is the barrier between them?")
      .positionals("MODEL", models, "two checkpoints, or trainings' folders")
      .usage("A B");
  add_path_options(options, *this);
  add_curve_options(options, *this);
  add_image_options(options, images);
  add_population_option(options, images);
  loss.add_to(options);
  options.group("Output")
      .file("output,o", output_file, "the results' HDF5 file; what it lacks is computed")
      .flag("no-pictures", no_pictures, "compute only");
  run.add_to(options);
  cli::add_dry_run_option(options, dry_run);
  options.files("models", models, "FILE,FILE", "the two checkpoints, as the first arguments")
      .text("model", expected_model, "NAME", "refuse the checkpoints unless they are this network");
}

void ConnectFlags::check() {
  require(models.size() == 2, "a path joins two networks, here are ", models.size(),
          ": write landscape connect A B");
  require_models(models, "connect A B");
  require(!output_file || !output_file->empty(), "--output is empty: it names an HDF5 file");
  topograd::check(settings);
  topograd::check(images);
  settings.aligned_path = save_aligned.value_or("");
  settings.control_path = control.value_or(stem() + "_control.safetensors");
  settings.forced = run.forced_implementations();
  if (curve.config.epochs == 0) return;
  curve.config.augment = !no_augment;
  curve.config.seed = settings.seed;
  curve.source = images.source;
  curve.images = curve_images.value_or(images.count);
  curve.noisy_labels = images.noisy_labels;
  curve.normalisation = images.normalisation;
  settings.curve = curve;
}

std::string ConnectFlags::output() const {
  if (output_file) return *output_file;
  // The names of a training's folder, which "model" is the same in every one of.
  std::string second = network_name(models[1]);
  std::replace(second.begin(), second.end(), ' ', '_');
  return result_beside(models[0], "to_" + second + "_connect");
}

std::string ConnectFlags::stem() const {
  return fs::path(output()).replace_extension().string();
}

}  // namespace topograd
