#include "apps/surface_images.h"

#include "kernels/core/hash.h"
#include "landscape/image_order.h"
#include "nn/batch_loader.h"

namespace topograd {

namespace {

uint64_t tensor_hash(const Tensor& tensor, uint64_t seed) {
  return content_hash(tensor.raw(), static_cast<size_t>(tensor.bytes()), seed);
}

/// The images of these indices, in this order.
LabelledImages selected(const LabelledImages& all, std::span<const int32_t> indices) {
  const int64_t count = static_cast<int64_t>(indices.size());
  LabelledImages chosen{Tensor(all.images.shape().with_first(count), DType::u8),
                        Tensor({count}, DType::i32), all.normalisation};
  for (int64_t i = 0; i < count; ++i) {
    const int64_t source = indices[static_cast<size_t>(i)];
    chosen.images.rows(i, i + 1).copy_from(all.images.rows(source, source + 1));
    chosen.labels.rows(i, i + 1).copy_from(all.labels.rows(source, source + 1));
  }
  return chosen;
}

class ImageChoice {
 public:
  ImageChoice(const cxxopts::ParseResult& flags, const LoadedModel& model, bool shuffled)
      : flags_(flags), model_(model), shuffled_(shuffled) {}

  SurfaceImages choose() {
    DataSpec spec;
    spec.source = cli::text_of(flags_, "data", "synthetic");
    spec.image_size = model_.spec.image_size;
    const DataSplits data = load_data(spec);
    const std::string split = flags_["split"].as<std::string>();
    require(split == "train" || split == "test" || split == "both", "--split ", split,
            ": choose train, test or both");
    read_subset();
    const bool noisy = flags_.count("noisy-labels") > 0;
    require(!noisy || split != "test",
            "--noisy-labels: only training labels have noise; choose "
            "--split train or both");
    chosen_.description = data.train.name + " " +
                          (split == "both"    ? "training and test"
                           : split == "train" ? "training"
                                              : "test");
    if (noisy) {
      chosen_.description += ", noisy training labels";
      add("train", noisy_training_data(model_, data.train, spec.source), spec.source);
    } else if (split != "test") {
      add("train", data.train, spec.source);
    }
    if (split != "train") add("test", data.test, spec.source);
    return chosen_;
  }

 private:
  void read_subset() {
    // Stopping early looks at the first images alone: they should stand for all of them.
    const bool stops_early = flags_.count("target-se") > 0;
    const std::string subset = cli::text_of(flags_, "subset", stops_early ? "stratified" : "first");
    require(subset == "first" || subset == "stratified", "--subset ", subset,
            ": choose first or stratified");
    stratified_ = subset == "stratified";
    require(stratified_ || flags_.count("subset-seed") == 0,
            "--subset-seed decides nothing without --subset stratified");
    if (!stratified_) return;
    require(flags_.count("data-split") == 0,
            "--subset stratified, which --target-se brings, and --data-split both choose images: "
            "leave out one of them");
    subset_seed_ = cli::seed(flags_, "subset-seed");
    chosen_.subset = text("stratified, seed ", subset_seed_);
  }

  void add(const std::string& name, const Dataset& data, const std::string& source) {
    require_fitting_data(model_.spec, data, source);
    LabelledImages images = data.view();
    images.normalisation = model_.info.normalisation;
    const int64_t limit = cli::whole(flags_, "images", 0, 1 << 30);
    require(limit <= images.count(), "--images ", limit, ": the ", name, " split has only ",
            images.count());
    if (stratified_) {
      const auto* labels = images.labels.data<int32_t>();
      const auto order =
          stratified_order({labels, static_cast<size_t>(images.count())}, subset_seed_);
      images = selected(
          images, std::span(order).first(static_cast<size_t>(limit > 0 ? limit : images.count())));
    }
    images = images.first(limit);
    const int64_t splits = cli::whole(flags_, "data-split", 1, images.count());
    if (splits > 1) images = random_part(images, splits);
    if (shuffled_ && !stratified_) images = selected(images, shuffled_order(images.count(), 0, 0));
    chosen_.names.push_back(name);
    chosen_.sets.push_back(images);
  }

  /// The reference's data_split: one of `splits` random parts of equal size, the same in every run.
  LabelledImages random_part(const LabelledImages& all, int64_t splits) const {
    const size_t part = static_cast<size_t>(cli::whole(flags_, "split-idx", 0, splits - 1));
    const size_t size = static_cast<size_t>(all.count() / splits);
    const std::vector<int32_t> order = shuffled_order(all.count(), 0, 0);
    return selected(all, std::span(order).subspan(part * size, size));
  }

  const cxxopts::ParseResult& flags_;
  const LoadedModel& model_;
  bool shuffled_;
  bool stratified_ = false;
  uint64_t subset_seed_ = 0;
  SurfaceImages chosen_;
};

}  // namespace

void SurfaceImages::describe(Provenance& provenance) const {
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
}

// A line per flag, which clang-format would run together.
// clang-format off
void add_image_flags(cxxopts::Options& options, const char* split) {
  const auto string = [] { return cxxopts::value<std::string>(); };
  const auto value = [](const char* fallback) {
    return cxxopts::value<std::string>()->default_value(fallback);
  };
  options.add_options("Data")
      ("data,datapath", "synthetic, or a folder, see train --help (or --datapath)", string())
      ("split", "train, test or both", value(split))
      ("noisy-labels", "training images with the noisy labels that the checkpoint was trained with "
                       "(train --label-noise); else all with their own")
      ("images", "use only n images of each split (0: all)", value("0"))
      ("subset", "which n: first, or stratified: a random choice with each class's share as in the "
                 "whole split (default: first, with --target-se stratified)", string())
      ("subset-seed", "of that choice", value("1"))
      ("data-split", "use one of n random parts of the images", value("1"))
      ("split-idx", "which part", value("0"));
}
// clang-format on

SurfaceImages surface_images(const cxxopts::ParseResult& flags, const LoadedModel& model,
                             bool shuffled) {
  return ImageChoice(flags, model, shuffled).choose();
}

void note_clean_labels(const cxxopts::ParseResult& flags, const SurfaceImages& images,
                       const LoadedModel& model) {
  if (images.names[0] == "train" && flags.count("noisy-labels") == 0)
    note_clean_labels(model, "landscape");
}

}  // namespace topograd
