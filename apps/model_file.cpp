#include "apps/model_file.h"

#include <cmath>
#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>

#include "apps/cli.h"
#include "data/label_noise.h"
#include "kernels/core/hash.h"

namespace topograd {

namespace {

/// The model that a checkpoint says it holds, and its graph; an Error names the file.
std::pair<ModelSpec, Graph> described_model(const std::string& path, const std::string& json) {
  try {
    const ModelSpec spec = model_spec_from_json(json);
    return {spec, build_model(spec)};
  } catch (const std::exception& error) {
    fail(path, ": ", error.what());
  }
}

/// What the configuration of a checkpoint's run says about label noise.
struct TrainedNoise {
  double fraction = 0;
  int64_t images = 0;  ///< how many the run trained on
  uint64_t seed = 0;
  std::string data_hash;  ///< of those, with clean labels
};

TrainedNoise trained_noise(const LoadedModel& model) {
  const auto config = nlohmann::json::parse(model.info.config, nullptr, false);
  if (!config.is_object() || !config.contains("label_noise")) return {};
  try {
    const auto& noise = config.at("label_noise");
    return {noise.at("fraction").get<double>(), noise.at("images").get<int64_t>(),
            config.at("seed").get<uint64_t>(), config.at("data_hash").get<std::string>()};
  } catch (const nlohmann::json::exception& error) {
    fail(model.path, ": its configuration's label_noise is damaged: ", error.what());
  }
}

}  // namespace

LoadedModel load_model(const std::string& path, const std::string& expected) {
  require(!path.empty(), "the name of the checkpoint is empty: it is a file made by train");
  const Checkpoint checkpoint = Checkpoint::read(path);
  auto [spec, graph] = described_model(path, checkpoint.info().model);
  require(expected.empty() || expected == spec.name, path, " holds a ", spec.name, ", not a ",
          expected);
  LoadedModel model{path, spec, std::move(graph), checkpoint.info(), {}, false};
  model.weights = checkpoint.weights(model.graph.layout());
  model.has_training_state = checkpoint.has_training_state();
  const size_t channels = static_cast<size_t>(spec.channels);
  require(model.info.normalisation.mean.size() == channels &&
              model.info.normalisation.std_dev.size() == channels,
          path, ": its normalisation is not for ", channels, " channels");
  for (double deviation : model.info.normalisation.std_dev)
    require(deviation > 0 && std::isfinite(deviation), path, ": its normalisation divides by ",
            deviation);
  return model;
}

std::string required_model(const std::string& path, const std::string& usage) {
  require(!path.empty(), "no model given; write landscape ", usage,
          " (train and apps/import_torch.py make such files)");
  return path;
}

void require_fitting_data(const ModelSpec& spec, const Dataset& data, const std::string& source) {
  require(data.height() == spec.image_size && data.width() == spec.image_size &&
              data.channels() == spec.channels,
          source, " holds images of ", data.height(), "x", data.width(), "x", data.channels(),
          ", the model takes ", spec.image_size, "x", spec.image_size, "x", spec.channels);
  require(data.classes() == spec.classes, source, " has ", data.classes(), " classes, the model ",
          spec.classes);
}

Dataset noisy_training_data(const LoadedModel& model, const Dataset& train,
                            const std::string& source) {
  const TrainedNoise noise = trained_noise(model);
  require(noise.fraction > 0, "--noisy-labels: ", model.path,
          " was not trained with train --label-noise");
  require(noise.images > 0 && noise.images <= train.count() &&
              hex(train.first(noise.images).hash()) == noise.data_hash,
          "--noisy-labels: ", source, " does not hold the ", noise.images, " training images that ",
          model.path, " was trained on");
  Dataset seen = train.first(noise.images);
  seen.labels = noisy_labels(seen.labels, seen.classes(), noise.fraction, noise.seed);
  return seen;
}

void note_clean_labels(const LoadedModel& model, const std::string& program) {
  const TrainedNoise noise = trained_noise(model);
  if (noise.fraction > 0)
    cli::say(program, ": note: ", model.path, " was trained with label noise ", noise.fraction,
             "; these are the clean labels, --noisy-labels takes the noisy ones");
}

std::string describe(const ModelSpec& spec) {
  const bool noshort = spec.name.ends_with("_noshort");
  return text(spec.name, " (", noshort ? "" : text("option ", spec.shortcut, ", "), "width ",
              spec.width,
              spec.activation == Activation::relu ? "" : text(", ", name_of(spec.activation)), ")");
}

}  // namespace topograd
