// Loads any data set, given its folder.
#pragma once

#include <string>

#include "data/dataset.h"

namespace topograd {

struct DataSpec {
  /// Source: "synthetic", or a folder with the files of one set: CIFAR-10's or CIFAR-100's binary
  /// version (there or in the archive's subfolder), the four idx files of MNIST or its like (there,
  /// in raw/, or below torchvision's root), arrays of numpy (data/arrays.h), or images as train/<class>/*.png|jpg and test/<class>/*.
  /// The files decide which set it is. Of several sets in one folder that have names of their own,
  /// what their files begin with: "EMNIST/raw/emnist-letters". Or the name of images in memory
  /// (InMemory<DataSplits>).
  std::string source = "synthetic";
  int64_t train_limit = 0;  ///< use only the first n training images; 0: all
  int64_t test_limit = 0;   ///< use only the first n test images; 0: all
  // The rest is for synthetic data only.
  int64_t image_size = 32;  ///< pixels along one side, at least 12
  int64_t synthetic_train = 10'000;
  int64_t synthetic_test = 2'000;
  uint64_t seed = 1;
};

/// Loads both splits into memory. Throws Error, one line naming the file and what to do about it,
/// where anything is missing, damaged or contradictory, or a limit exceeds what there is.
DataSplits load_data(const DataSpec& spec);

}  // namespace topograd
