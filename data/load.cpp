#include "data/load.h"

#include <filesystem>

#include "data/cifar10.h"
#include "data/image_folder.h"
#include "data/synthetic.h"

namespace topograd {

namespace {

Dataset limited(const Dataset& dataset, int64_t limit, std::string_view split) {
  require(limit >= 0, "the limit of ", split, " images is negative: ", limit);
  require(limit <= dataset.count(), "the limit of ", split, " images is ", limit,
          ", but there are ", dataset.count(), ": lower it, or leave it out to use all");
  return limit == 0 ? dataset : dataset.first(limit);
}

DataSplits load_all(const DataSpec& spec) {
  if (spec.source == "synthetic") {
    return {synthetic_dataset(Split::train, spec.synthetic_train, spec.image_size, spec.seed),
            synthetic_dataset(Split::test, spec.synthetic_test, spec.image_size, spec.seed)};
  }
  require(std::filesystem::is_directory(spec.source), "no data folder '", spec.source,
          "': give 'synthetic', a folder of images, or get CIFAR-10 with apps/download_cifar10.sh");
  if (const std::string folder = find_cifar10(spec.source); !folder.empty())
    return load_cifar10(folder);
  if (is_image_folder(spec.source)) return load_image_folder(spec.source);
  fail(spec.source,
       " holds neither CIFAR-10's binary files (data_batch_1.bin, ...; apps/download_cifar10.sh "
       "gets them) nor images as train/<class>/*.png and test/<class>/*.png");
}

}  // namespace

DataSplits load_data(const DataSpec& spec) {
  const DataSplits all = load_all(spec);
  return {limited(all.train, spec.train_limit, "training"),
          limited(all.test, spec.test_limit, "test")};
}

}  // namespace topograd
