// Images and labels as training and evaluation see them: bytes or numbers, normalised when used.
#pragma once

#include <vector>

#include "kernels/core/tensor.h"

namespace topograd {

/// Per-channel constants: a pixel p of channel c becomes (p / 255 - mean[c]) / std_dev[c]; of images
/// in f32 (p - mean[c]) / std_dev[c].
struct Normalisation {
  std::vector<double> mean;
  std::vector<double> std_dev;
  friend bool operator==(const Normalisation&, const Normalisation&) = default;
};

struct LabelledImages {
  Tensor images;  ///< u8 or f32 [N, H, W, C]
  Tensor labels;  ///< classes i32 [N], or numbers f32 [N, C]
  Normalisation normalisation;
  int64_t count() const { return images.dim(0); }
  /// Returns the first n images; all of them where n is 0 or larger than their number.
  LabelledImages first(int64_t n) const {
    if (n <= 0 || n >= count()) return *this;
    return {images.rows(0, n), labels.rows(0, n), normalisation};
  }
  /// Returns these images and labels on a device: a copy, unless they are there already.
  LabelledImages to(Device device) const {
    return {images.to(device), labels.to(device), normalisation};
  }
};

}  // namespace topograd
