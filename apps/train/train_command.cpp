#include "apps/train/train_command.h"

#include <filesystem>

#include "apps/common/cli.h"
#include "apps/common/model_file.h"
#include "apps/train/class_weights.h"
#include "apps/train/listings.h"
#include "apps/train/network_comparison.h"
#include "kernels/core/format.h"
#include "kernels/core/version.h"
#include "landscape/evaluation/model_data.h"
#include "landscape/results/loss_text.h"
#include "nn/graph_file.h"
#include "nn/inference.h"

namespace topograd {

namespace {

/// Throws Error: a training needs images, and one that is continued the command that began it.
[[noreturn]] void refuse_without_data(const RunSettings& run) {
  const std::filesystem::path last = std::filesystem::path(run.folder) / "last.safetensors";
  if (run.resume && std::filesystem::exists(last)) {
    const auto notes = load_model(last.string()).info.notes;
    if (const auto command = notes.find("command"); command != notes.end())
      throw Error(text(
          run.folder,
          " is continued by the whole command that began it, with --resume: ", command->second));
  }
  throw Error(
      "name the images with --data: a folder (train --help says what it may hold; "
      "apps/download_cifar10.sh fetches CIFAR-10), or synthetic, made on the spot");
}

}  // namespace

int TrainCommand::run(const std::string& typed) {
  if (flags_.show_version || flags_.list_models || flags_.list_recipes) {
    if (flags_.show_version)
      cli::out() << "train " << version() << '\n';
    else if (flags_.list_models)
      list_models();
    else
      list_recipes();
    return 0;
  }
  if (flags_.print_model) {
    const ModelSpec& spec = flags_.run.model;
    cli::out() << graph_json(build_model(spec), spec.name, /*for_reader=*/true);
    return 0;
  }
  const auto pool = flags_.device.pool();
  if (flags_.compare) {
    cli::out() << comparison(load_model(*flags_.evaluate), *flags_.compare, *pool) << '\n';
    return 0;
  }
  if (flags_.evaluate) return evaluate_model(*pool);
  flags_.run.command = typed;
  return train(*pool);
}

int TrainCommand::train(ThreadPool& pool) {
  // A run's log is its result.
  const auto observer = cli::observer("train", cli::Notes::are_results);
  RunSettings& run = flags_.run;
  require(run.training.precision == Precision::f32 || pool.device() != Device::cpu, "--precision ",
          name_of(run.training.precision),
          " is for GPUs' tensor cores: choose --device cuda or simt, or --precision f32");
  if (flags_.data.source.empty() && !flags_.from) refuse_without_data(run);
  if (flags_.from) begin_from(*flags_.from);
  const DataSplits data =
      run.start ? load_data_for(*run.start, flags_.data) : load_data(flags_.data);
  run.data_source = run.start ? data_source(*run.start, flags_.data.source) : flags_.data.source;
  if (run.start) {
    run.normalisation = run.start->info.normalisation;
  } else if (!run.model.graph.empty()) {
    run.normalisation = data.train.normalisation;
  } else {
    require(data.train.height() == data.train.width(), run.data_source, " holds images of ",
            data.train.width(), "x", data.train.height(),
            " pixels: the networks of --list-models take square ones; crop or scale them, or name "
            "a graph of your own");
    run.model.image_size = data.train.height();
    run.model.channels = data.train.channels();
    run.model.classes = data.train.classes();
    run.normalisation = data.train.normalisation;
  }
  if (flags_.normalisation)
    run.normalisation = for_channels(*flags_.normalisation, run.model.channels);
  run.training.flip = data.train.flips_keep_class;
  const Graph graph = build_model(run.model);
  require_fitting_data(graph, data.train, run.data_source);
  require_fitting_data(graph, data.test, "the test split");
  run.training.loss = with_class_weights(run.training.loss, flags_.class_weights, data.train);
  require_fitting_targets(run.training.loss, data.train.labels, run.data_source);
  require_fitting_targets(run.training.loss, data.test.labels, "the test split");
  try {
    if (flags_.dry_run)
      plan_training(run, data, pool, *observer);
    else
      run_training(run, data, pool, *observer);
    return 0;
  } catch (const Interrupted& interruption) {
    cli::say("train: interrupted; ", interruption.what(),
             ": repeat the command with --resume to continue");
    return cli::kInterruptedStatus;
  }
}

/// Takes the network of a checkpoint, which has to be the one that the options name.
void TrainCommand::begin_from(const std::string& path) {
  namespace fs = std::filesystem;
  RunSettings& run = flags_.run;
  run.start = load_model(path);
  const ModelSpec& spec = run.start->spec;
  ModelSpec asked = run.model;
  asked.image_size = spec.image_size;
  asked.channels = spec.channels;
  asked.classes = spec.classes;
  require(!flags_.model_typed || to_json(asked) == to_json(spec), "--from ", path, " holds ",
          describe(spec), ", and the options name ", describe(asked), ": leave them out");
  std::error_code ignored;  // the run's folder need not exist
  require(!fs::equivalent(fs::absolute(path).parent_path(), run.folder, ignored), "--from ", path,
          " lies in the folder that the run writes into: choose another --output");
  run.model = spec;
  flags_.data.image_size = flags_.synthetic_image_size.value_or(spec.image_size);
}

int TrainCommand::evaluate_model(ThreadPool& pool) const {
  const LoadedModel model = load_model(*flags_.evaluate, flags_.expected_model.value_or(""));
  DataSpec spec = flags_.data;
  spec.image_size = flags_.synthetic_image_size.value_or(model.spec.image_size);
  const DataSplits data = load_data_for(model, spec);
  spec.source = data_source(model, spec.source);
  const bool on_train = flags_.on_training_images;
  const Dataset& chosen = on_train ? data.train : data.test;
  require_fitting_data(model.graph, chosen, spec.source);
  if (on_train && !flags_.noisy_labels) note_clean_labels(model, "train");
  LabelledImages images = flags_.noisy_labels
                              ? noisy_training_data(model, data.train, spec.source).view()
                              : chosen.view();
  images.normalisation = normalisation_of(model, flags_.normalisation);
  const Loss loss = flags_.loss ? *flags_.loss : trained_loss(model.info);
  require_fitting_targets(loss, images.labels, spec.source);
  const LossSums sums =
      evaluate(model.graph, model.weights.theta, model.weights.running_stats, images, loss, pool);
  cli::out() << describe(model.spec) << ", " << chosen.name << ' ' << (on_train ? "train" : "test")
             << ": loss " << loss_text(sums.mean(), 6) << " (standard error "
             << loss_text(sums.standard_error(), 6) << ')';
  if (sums.correct >= 0)
    cli::out() << ", error " << decimals(100 - sums.accuracy(), 3) << " % ("
               << sums.count - sums.correct << " of " << sums.count << " wrong)";
  if (images.normalisation != model.info.normalisation)
    cli::out() << ", normalised by " << describe(images.normalisation)
               << " in place of the model's " << describe(model.info.normalisation);
  cli::out() << '\n';
  return 0;
}

}  // namespace topograd
