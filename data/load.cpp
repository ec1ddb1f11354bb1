#include "data/load.h"

#include <filesystem>

#include "data/arrays.h"
#include "data/cifar.h"
#include "data/idx.h"
#include "data/image_folder.h"
#include "data/synthetic.h"
#include "kernels/core/in_memory.h"

namespace topograd {

namespace {

Dataset limited(const Dataset& dataset, int64_t limit, std::string_view split) {
  require(limit >= 0, "the limit of ", split, " images is negative: ", limit);
  require(limit <= dataset.count(), "the limit of ", split, " images is ", limit,
          ", but there are ", dataset.count(), ": lower it, or leave it out to use all");
  return limit == 0 ? dataset : dataset.first(limit);
}

/// Kind of data that a folder may hold.
struct DataFormat {
  const char* name;
  std::string (*find)(const std::string& folder);  ///< the files' folder, or empty
  DataSplits (*load)(const std::string& found);
};

const DataFormat kFormats[] = {
    {"CIFAR-10", find_cifar10, load_cifar10},
    {"CIFAR-100", find_cifar100, load_cifar100},
    {"MNIST's files", find_idx, load_idx},
    {"arrays of numpy", find_arrays, load_arrays},
    {"images",
     [](const std::string& folder) { return is_image_folder(folder) ? folder : std::string(); },
     load_image_folder},
};

DataSplits load_folder(const std::string& folder) {
  const DataFormat* format = nullptr;
  std::string found;
  for (const DataFormat& candidate : kFormats) {
    const std::string place = candidate.find(folder);
    if (place.empty()) continue;
    require(!format, folder, " holds both ", format ? format->name : "", " and ", candidate.name,
            ": give each a folder of its own");
    format = &candidate;
    found = place;
  }
  require(
      format, folder,
      " holds no data set: neither CIFAR-10's or CIFAR-100's binary files (data_batch_1.bin, "
      "train.bin, ...; apps/download_cifar10.sh gets CIFAR-10's), nor MNIST's "
      "(train-images-idx3-ubyte, ...), nor x_train.npy, y_train.npy, x_test.npy, y_test.npy, nor "
      "images as train/<class>/*.png and test/<class>/*.png");
  return format->load(found);
}

DataSplits load_all(const DataSpec& spec) {
  if (spec.source == "synthetic") {
    return {synthetic_dataset(Split::train, spec.synthetic_train, spec.image_size, spec.seed),
            synthetic_dataset(Split::test, spec.synthetic_test, spec.image_size, spec.seed)};
  }
  if (is_in_memory(spec.source)) return *InMemory<DataSplits>::find(spec.source);
  if (!std::filesystem::is_directory(spec.source)) {
    if (const std::string found = find_arrays(spec.source); !found.empty())
      return load_arrays(found);
    // A set among several in a folder.
    if (const std::string found = find_idx(spec.source); !found.empty()) return load_idx(found);
  }
  require(std::filesystem::is_directory(spec.source), "no data folder '", spec.source,
          "': give 'synthetic', a folder with a data set (see train --help), or get CIFAR-10 with "
          "apps/download_cifar10.sh");
  return load_folder(spec.source);
}

}  // namespace

DataSplits load_data(const DataSpec& spec) {
  const DataSplits all = load_all(spec);
  return {limited(all.train, spec.train_limit, "training"),
          limited(all.test, spec.test_limit, "test")};
}

}  // namespace topograd
