// A labelled set of images in memory.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kernels/augment/labelled_images.h"

namespace topograd {

constexpr int64_t kColourChannels = 3;  ///< of a colour image: red, green, blue

/// Returns the usual mean and standard deviation per channel of a data set. "cifar10":
/// (125.3, 123.0, 113.9) / 255 and (63.0, 62.1, 66.7) / 255; "cifar100":
/// (129.3, 124.1, 112.4) / 255 and (68.2, 65.4, 70.4) / 255; "mnist": 0.1307 and 0.3081;
/// "fashion_mnist": 0.2860 and 0.3530; "imagenet": ImageNet's, which some use on CIFAR-10 too;
/// "kuangliu": github.com/kuangliu/pytorch-cifar's, whose deviations are those within an image;
/// "none": 0 and 1, pixels from 0 to 1. Throws Error, listing them, for any other name.
Normalisation normalisation_named(std::string_view name);

/// Returns those names.
const std::vector<std::string>& normalisation_names();

/// Throws Error unless there are as many means, from 0 to 1, as deviations, above 0 and up to 1: a
/// pixel is a number from 0 to 1.
void check(const Normalisation& constants);

/// Returns constants for images of so many channels: a single mean and deviation count for all of
/// them. Throws Error for another number of constants.
Normalisation for_channels(const Normalisation& constants, int64_t channels);

/// Returns "mean 0.4914,0.4822,0.4465 std 0.2023,0.1994,0.201", with all of their digits.
std::string describe(const Normalisation& constants);

struct Dataset {
  std::string
      name;       ///< "cifar10", "cifar100", "mnist", "fashion_mnist", "idx", "synthetic", "folder"
  Tensor images;  ///< u8 or f32 [N, H, W, C]
  /// Classes i32 [N], each in [0, classes()); or numbers f32 [N, classes()].
  Tensor labels;
  std::vector<std::string> class_names;
  Normalisation normalisation;
  bool flips_keep_class = true;  ///< a mirrored image is one of its class; no digit's is

  int64_t count() const { return labels.dim(0); }
  bool has_classes() const { return labels.dtype() == DType::i32; }
  int64_t classes() const { return static_cast<int64_t>(class_names.size()); }
  int64_t height() const { return images.dim(1); }
  int64_t width() const { return images.dim(2); }
  int64_t channels() const { return images.dim(3); }

  /// Returns what training and evaluation need; shares the memory.
  LabelledImages view() const { return {images, labels, normalisation}; }
  /// Returns the first `n` images, as a view.
  Dataset first(int64_t n) const;
  /// Returns a content hash of shape, pixels and labels: the same data give the same number on any
  /// machine. Each call computes it anew, at memory speed (CIFAR-10: about 20 ms).
  uint64_t hash() const;
};

struct DataSplits {
  Dataset train;
  Dataset test;
};

/// Returns mean and standard deviation of the pixels per channel, over all images.
Normalisation measured_normalisation(const Tensor& images);

}  // namespace topograd
