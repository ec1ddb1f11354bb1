#include "landscape/evaluation/image_selection.h"

#include <span>

#include "data/image_order.h"
#include "data/load.h"
#include "kernels/core/hash.h"
#include "landscape/evaluation/model_data.h"

namespace topograd {

namespace {

uint64_t tensor_hash(const Tensor& tensor, uint64_t seed) {
  return content_hash(tensor.raw(), static_cast<size_t>(tensor.bytes()), seed);
}

/// Returns the images of these indices, in this order.
LabelledImages selected(const LabelledImages& all, std::span<const int32_t> indices) {
  const int64_t count = static_cast<int64_t>(indices.size());
  LabelledImages chosen{Tensor(all.images.shape().with_first(count), all.images.dtype()),
                        Tensor(all.labels.shape().with_first(count), all.labels.dtype()),
                        all.normalisation};
  for (int64_t i = 0; i < count; ++i) {
    const int64_t source = indices[static_cast<size_t>(i)];
    chosen.images.rows(i, i + 1).copy_from(all.images.rows(source, source + 1));
    chosen.labels.rows(i, i + 1).copy_from(all.labels.rows(source, source + 1));
  }
  return chosen;
}

/// Returns one of `parts` random parts of equal size, the same in every run, like the reference's
/// data_split.
LabelledImages random_part(const LabelledImages& all, int64_t parts, int64_t part) {
  require(parts >= 1 && parts <= all.count(), "--data-split ", parts,
          " is out of range: choose 1 to ", all.count());
  require(part >= 0 && part < parts, "--split-idx ", part, " is out of range: choose 0 to ",
          parts - 1);
  const auto size = static_cast<size_t>(all.count() / parts);
  const std::vector<int32_t> order = shuffled_order(all.count(), 0, 0);
  return selected(all, std::span(order).subspan(static_cast<size_t>(part) * size, size));
}

/// Whether each class has its share of the chosen images; `labels`, where known, may be numbers.
bool is_stratified(const ImageSelection& selection, const Tensor& labels = {}) {
  const bool classes = !labels.defined() || labels.dtype() == DType::i32;
  return selection.stratified.value_or(selection.stops_early && classes);
}

/// Returns the chosen images of one split.
LabelledImages chosen_images(const ImageSelection& selection, const LoadedModel& model,
                             const std::string& name, const Dataset& data) {
  require_fitting_data(model.graph, data, selection.source);
  LabelledImages images = data.view();
  images.normalisation = normalisation_of(model, selection.normalisation);
  const int64_t limit = selection.count;
  require(limit <= images.count(), "--images ", limit, ": the ", name, " split has only ",
          images.count());
  const bool stratified = is_stratified(selection, data.labels);
  if (stratified) {
    require(data.has_classes(),
            "--subset stratified chooses each class's share of the images, and these have numbers: "
            "choose --subset first");
    const auto* labels = images.labels.data<int32_t>();
    const auto order = stratified_order({labels, static_cast<size_t>(images.count())},
                                        selection.subset_seed.value_or(1));
    images = selected(
        images, std::span(order).first(static_cast<size_t>(limit > 0 ? limit : images.count())));
  }
  images = images.first(limit);
  if (selection.parts.value_or(1) != 1)
    images = random_part(images, *selection.parts, selection.part);
  if (selection.shuffled && !stratified)
    images = selected(images, shuffled_order(images.count(), 0, 0));
  return images;
}

std::string words_for(Split split) {
  return split == Split::both ? "training and test" : split == Split::train ? "training" : "test";
}

}  // namespace

void ImageSets::describe(Provenance& provenance) const {
  int64_t count = 0;
  uint64_t hash = 0;
  for (const LabelledImages& set : sets) {
    count += set.count();
    hash = tensor_hash(set.labels, tensor_hash(set.images, hash));
    const auto& n = set.normalisation;
    hash = content_hash(n.mean.data(), n.mean.size() * sizeof(double), hash);
    hash = content_hash(n.std_dev.data(), n.std_dev.size() * sizeof(double), hash);
  }
  provenance["data"] = description;
  provenance["data_hash"] = hex(hash);
  provenance["images"] = text(count);
  if (!subset.empty()) provenance["subset"] = subset;
  if (!normalisation.empty()) provenance["normalisation"] = normalisation;
}

void ImageSets::describe_populations(Provenance& provenance) const {
  std::string words;
  for (size_t i = 0; i < names.size(); ++i)
    if (population(i) > 0) words += text(words.empty() ? "" : ", ", names[i], " ", population(i));
  if (!words.empty()) provenance["population"] = words;
}

Population population_of(const ImageSelection& selection, bool training) {
  return selection.population.value_or(training ? Population::set : Population::kind);
}

void check(const ImageSelection& selection) {
  if (selection.normalisation) check(*selection.normalisation);
  require(!selection.noisy_labels || selection.split != Split::test,
          "--noisy-labels: only training labels have noise; choose --split train or both");
  require(is_stratified(selection) || !selection.subset_seed,
          "--subset-seed decides nothing without --subset stratified");
  require(!is_stratified(selection) || !selection.parts,
          "--subset stratified, which --target-se brings, and --data-split both choose images: "
          "leave out one of them");
}

ImageSets select_images(const ImageSelection& selection, const LoadedModel& model) {
  check(selection);
  const std::string source = data_source(model, selection.source);
  const DataSplits data =
      load_data_for(model, {.source = selection.source, .image_size = model.spec.image_size});
  ImageSets chosen;
  chosen.description = text(data.train.name, " ", words_for(selection.split),
                            selection.noisy_labels ? ", noisy training labels" : "");
  if (is_stratified(selection))
    chosen.subset = text("stratified, seed ", selection.subset_seed.value_or(1));
  const Normalisation constants = normalisation_of(model, selection.normalisation);
  chosen.normalisation_chosen = selection.normalisation.has_value();
  if (constants != model.info.normalisation) chosen.normalisation = describe(constants);
  const auto add = [&](const std::string& name, const Dataset& split) {
    require(split.count() > 0, source, " has no ", name, " images: choose --split ",
            name == "test" ? "train" : "test");
    chosen.names.push_back(name);
    const Population population = population_of(selection, name == "train");
    chosen.populations.push_back(population == Population::set ? split.count() : 0);
    chosen.sets.push_back(chosen_images(selection, model, name, split));
  };
  if (selection.split != Split::test)
    add("train",
        selection.noisy_labels ? noisy_training_data(model, data.train, source) : data.train);
  if (selection.split != Split::train) add("test", data.test);
  return chosen;
}

std::string clean_labels_note(const ImageSelection& selection, const LoadedModel& model) {
  const bool clean = selection.split != Split::test && !selection.noisy_labels;
  return clean ? clean_labels_note(model) : std::string();
}

}  // namespace topograd
