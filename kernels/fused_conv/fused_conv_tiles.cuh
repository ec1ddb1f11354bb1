// fused_conv's arguments as conv2d's forward pass by tiles, for both rungs.
#pragma once

#include "kernels/conv2d/forward_tiles.cuh"
#include "kernels/fused_conv/fused_conv.h"

namespace topograd::TOPOGRAD_BACKEND {

/// Returns the extents of one of the P networks.
inline ConvExtents extents_of(const FusedConvArgs& args) {
  return {args.y.shape().with_first(args.images()), args.x.shape().with_first(args.images()),
          args.w.shape().with_first(args.filters()), args.geometry};
}

inline bool tiles_support(const FusedConvArgs& args) {
  constexpr int64_t kMaxPoints = 65535;  // along a grid's z
  return all_f32(args.y) && args.points <= kMaxPoints && tiles_support(args.geometry) &&
         tiles_support(extents_of(args));
}

inline ForwardPass forward_pass(const FusedConvArgs& args) {
  return {.extents = extents_of(args),
          .y = pointer<float>(args.y),
          .x = pointer<float>(args.x),
          .w = pointer<float>(args.w),
          .bias = pointer<float>(args.bias),
          .residual = pointer<float>(args.residual),
          .relu = args.relu,
          .points = args.points,
          .shares_x = args.shares_x()};
}

}  // namespace topograd::TOPOGRAD_BACKEND
