// Group normalisation (Y. Wu and K. He, "Group Normalization", 2018): the channels of an image in G
// groups of neighbours, each standardised over its channels and all pixels. For one group of one
// image, M = H W C / G elements x:
//   mean = sum of x / M,   variance = sum of (x - mean)^2 / M,   i = 1 / sqrt(variance + epsilon)
//   xhat = (x - mean) i,   y = gamma xhat + beta
// with gamma and beta of the element's channel. G = C is instance normalisation (D. Ulyanov et al.,
// "Instance Normalization", 2016).
//
// Tensors are [N, ..., C]: images [N, H, W, C] or vectors [N, C]. Images do not meet. Nothing is
// kept from the forward pass, and no variance is taken as E[x^2] - mean^2: see layer_norm.h, whose
// formulas these are, with groups for rows.
#pragma once

#include "kernels/core/op.h"

namespace topograd {

/// y = gamma xhat + beta. y may be x itself. gamma and beta undefined: y = xhat.
struct GroupNormArgs {
  static constexpr std::string_view kOp = "group_norm";
  Tensor y;            ///< [N, ..., C]
  Tensor x;            ///< [N, ..., C], C > 0, at least one pixel
  Tensor gamma, beta;  ///< [C] each, or undefined
  int64_t groups = 1;  ///< G, which divides C
  double epsilon = 1e-5;
  void check() const;
};
inline void group_norm(const GroupNormArgs& args, Context& context) {
  run_op(args, context);
}

/// With g = gamma dy:   dx = i (g - mean of g - xhat (mean of g xhat)), means over a group.
/// dx may be dy itself.
struct GroupNormBackwardArgs {
  static constexpr std::string_view kOp = "group_norm_backward";
  Tensor dx;     ///< [N, ..., C]
  Tensor dy, x;  ///< [N, ..., C] each
  Tensor gamma;  ///< [C], or undefined: 1
  int64_t groups = 1;
  double epsilon = 1e-5;
  Write write = Write::overwrite;
  void check() const;
};
inline void group_norm_backward(const GroupNormBackwardArgs& args, Context& context) {
  run_op(args, context);
}

/// dgamma = sum of dy xhat, dbeta = sum of dy, over the images and their pixels.
struct GroupNormBackwardSumsArgs {
  static constexpr std::string_view kOp = "group_norm_backward_sums";
  Tensor dgamma, dbeta;  ///< [C] each
  Tensor dy, x;          ///< [N, ..., C] each
  int64_t groups = 1;
  double epsilon = 1e-5;
  Write write = Write::overwrite;
  void check() const;
};
inline void group_norm_backward_sums(const GroupNormBackwardSumsArgs& args, Context& context) {
  run_op(args, context);
}

/// Extents of tensors [N, ..., C] in groups.
struct GroupExtents {
  int64_t images, pixels, channels, groups;
  GroupExtents(const Tensor& x, int64_t groups_)
      : images(x.dim(0)), channels(x.dim(x.shape().rank() - 1)), groups(groups_) {
    pixels = 1;
    for (int axis = 1; axis + 1 < x.shape().rank(); ++axis) pixels *= x.dim(axis);
  }
  int64_t image() const { return pixels * channels; }               ///< elements of an image
  int64_t group_channels() const { return channels / groups; }      ///< channels of a group
  int64_t group_size() const { return pixels * group_channels(); }  ///< M
};

}  // namespace topograd
