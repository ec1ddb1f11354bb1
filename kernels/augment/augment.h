// Data augmentation: a normalised batch from stored pixels, cropped and flipped.
#pragma once

#include "kernels/core/op.h"

namespace topograd {

/// Picks images, crops them out of a black border, mirrors them and normalises them: torchvision's
/// RandomCrop(H, padding), RandomHorizontalFlip, ToTensor, Normalize, in that order, with the
/// random choices made by the caller:
///   y[n, h, w, c] = (p / 255 - mean[c]) / std[c]
///   p = images[indices[n], h + dy - padding, w' + dx - padding, c], 0 outside the image
/// (without the 255 where the images are f32: such numbers are in the units of mean and std)
///   w' = flips[n] ? W - 1 - w : w,   (dy, dx) = offsets[n]
/// formed in double and rounded once: the same bits in every implementation. Indices and offsets
/// that lie on the CPU are checked; on a device, where that would cost a round trip, all of y[n] is
/// NaN where there is no image indices[n].
struct AugmentArgs {
  static constexpr std::string_view kOp = "augment";
  Tensor y;          ///< [N, H, W, C], real
  Tensor images;     ///< [total, H, W, C], u8, f32 or f64
  Tensor indices;    ///< [N] i32 in [0, total)
  Tensor offsets{};  ///< [N, 2] i32 in [0, 2 * padding]; undefined: no crop, padding is ignored
  Tensor flips{};    ///< [N] i32, 0 or 1; undefined: none
  int padding = 0;
  const double* mean = nullptr;  ///< [C], in units of 0..1
  const double* std = nullptr;   ///< [C], in the same units
  void check() const;
};
inline void augment(const AugmentArgs& args, Context& context) {
  run_op(args, context);
}

}  // namespace topograd
