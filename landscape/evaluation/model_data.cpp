#include "landscape/evaluation/model_data.h"

#include <cmath>
#include <filesystem>
#include <utility>

#include "data/label_noise.h"
#include "kernels/core/hash.h"
#include "kernels/core/in_memory.h"
#include "kernels/core/streams.h"
#include "landscape/results/provenance.h"
#include "nn/json_text.h"

namespace topograd {

namespace {

/// Label noise according to the configuration of a checkpoint's run.
struct TrainedNoise {
  double fraction = 0;
  int64_t images = 0;  ///< number of images the run trained on
  uint64_t seed = 0;
  std::string data_hash;  ///< hash of those images with clean labels
};

TrainedNoise trained_noise(const LoadedModel& model) {
  const auto config = json_or_null(model.info.config);
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

void require_fitting_data(const Graph& graph, const Dataset& data, const std::string& source) {
  const Shape& image = graph.image_shape();
  require(data.height() == image[0] && data.width() == image[1] && data.channels() == image[2],
          source, " holds images of ", data.height(), "x", data.width(), "x", data.channels(),
          ", the model takes ", image[0], "x", image[1], "x", image[2]);
  require(
      data.classes() == graph.classes(), source, " has ", data.classes(),
      data.has_classes() ? " classes, the model " : " numbers an image, the model's outputs are ",
      graph.classes());
}

void require_fitting_targets(const Loss& loss, const Tensor& labels, const std::string& source) {
  if (labels.dtype() == DType::i32) return;
  const std::string name = text(source, ": loss ", name_of(loss.kind));
  require(!is_measure(loss.kind) || takes_numbers(loss.kind), source,
          " have numbers, and measures are of images with a class each: leave out --measures");
  require(takes_numbers(loss.kind), name,
          " is of images with a class each, and these have numbers: choose squared_error, "
          "absolute_error or huber for quantities, bce or focal for several labels an image");
  if (!tells_right_from_wrong(loss.kind)) return;
  for (int64_t n = 0; n < labels.dim(0); ++n) {
    const float* t = labels.data<float>() + n * labels.dim(1);
    double sum = 0;
    for (int64_t c = 0; c < labels.dim(1); ++c) {
      const bool fits =
          loss.kind == LossKind::focal ? t[c] == 0 || t[c] == 1 : t[c] >= 0 && t[c] <= 1;
      require(fits, name, " takes targets ",
              loss.kind == LossKind::focal ? "0 or 1" : "from 0 to 1", ", and image ", n, " has ",
              t[c],
              loss.kind == LossKind::cross_entropy
                  ? ": choose squared_error, absolute_error or huber for quantities"
                  : "");
      sum += t[c];
    }
    require(loss.kind != LossKind::cross_entropy || std::abs(sum - 1) <= 1e-3, name,
            " takes numbers as probabilities of the classes, and those of image ", n, " sum to ",
            sum,
            ": choose bce for several labels an image, squared_error, absolute_error or huber "
            "for quantities");
  }
}

Loss trained_loss(const CheckpointInfo& network) {
  const auto config = json_or_null(network.config);
  if (!config.is_object() || !config.contains("loss") || !config.at("loss").is_string()) return {};
  return loss_named(config.at("loss").get<std::string>());
}

std::string data_source(const LoadedModel& model, const std::string& chosen) {
  if (!chosen.empty()) return chosen;
  const std::string own = value_of(model.info.notes, "data_source");
  require(!own.empty(), model.path,
          " does not say which images it was trained on: name them with --data");
  return own;
}

DataSplits load_data_for(const LoadedModel& model, DataSpec spec) {
  const bool own = spec.source.empty();
  spec.source = data_source(model, spec.source);
  require(!own || spec.source == "synthetic" || is_in_memory(spec.source) ||
              std::filesystem::exists(spec.source),
          model.path, " was trained on the images of ", spec.source,
          ", which is not here: name their folder with --data");
  const int64_t limit = std::exchange(spec.train_limit, 0);
  DataSplits data = load_data(spec);
  if (own) {
    const auto& notes = model.info.notes;
    int64_t images = 0;
    TextReader(value_of(notes, "train_images")) >> images;
    require(images > 0 && images <= data.train.count() &&
                hex(data.train.first(images).hash()) == value_of(notes, "data_hash"),
            model.path, " was trained on other images than ", spec.source,
            " holds now: name them with --data, or these");
  }
  require(limit <= data.train.count(), "--train-images ", limit, ": there are only ",
          data.train.count());
  if (limit > 0) data.train = data.train.first(limit);
  return data;
}

Normalisation normalisation_of(const LoadedModel& model,
                               const std::optional<Normalisation>& chosen) {
  return chosen ? for_channels(*chosen, model.spec.channels) : model.info.normalisation;
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

std::string clean_labels_note(const LoadedModel& model) {
  const TrainedNoise noise = trained_noise(model);
  if (noise.fraction == 0) return {};
  return text(model.path, " was trained with label noise ", noise.fraction,
              "; these are the clean labels, --noisy-labels takes the noisy ones");
}

}  // namespace topograd
