// dgamma[c] = sum of dy xhat and dbeta[c] = sum of dy over the images and their pixels, and with
// tangents dgamma'[c] = sum of dy' xhat + dy xhat' and dbeta'[c] = sum of dy'.
//
// The three kernels of layer_norm_sums_1_split.cu, with groups for rows: a warp writes the
// statistics of group r of all images' groups; a thread adds up its channel over pixels, each with
// the statistics of the group that pixel and channel belong to; thread c adds the runs of pixels.
// The cut depends on the shape alone and every sum has a fixed order: the same bits every time.
//
// Traffic: 4 bytes per element of x in the first kernel (8 with x') from memory, and its second
// pass from the L2 cache; 8 in the second kernel (16 with tangents), with 16 or 32 bytes per group
// that all its pixels share. Work: 5 FLOP in double per element in the first, 4 in the second (with
// tangents 9 and 10), and some 20 instructions to find an element or its group. The first kernel
// waits as group_norm_1_warp.cu does; memory bounds the second (predicted).
#include "kernels/group_norm/group_elements.h"
#include "kernels/group_norm/group_norm_tangent.h"
#include "kernels/layer_norm/row_sums.cuh"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

/// Groups of channels as rows.
struct GroupRows {
  int64_t count, size;
  Groups groups;
  Divisor by_pixels;
  explicit GroupRows(const GroupExtents& e)
      : count(e.images * e.groups), size(e.group_size()), groups(e), by_pixels(e.pixels) {}

  __device__ GroupElements row(const float* x, int64_t r) const {
    return {x + groups.begin(r), groups};
  }
  __device__ int64_t row_of(int64_t pixel, int64_t channel) const {
    return by_pixels.quotient(pixel) * groups.groups + groups.by_channels.quotient(channel);
  }
};

void backward_sums(const GroupNormBackwardSumsArgs& args, Context& context) {
  const int64_t C = args.dgamma.size();
  sum_over_rows(
      args.dgamma, args.dbeta,
      {pointer<float>(args.dy), pointer<float>(args.x), nullptr, nullptr, args.x.size() / C, C},
      GroupRows(GroupExtents(args.x, args.groups)), args.epsilon, args.write, context);
}

void tangent_sums(const GroupNormTangentSumsArgs& args, Context& context) {
  const int64_t C = args.dgamma_tangent.size();
  sum_over_rows(args.dgamma_tangent, args.dbeta_tangent,
                {pointer<float>(args.dy), pointer<float>(args.x), pointer<float>(args.dy_tangent),
                 pointer<float>(args.x_tangent), args.x.size() / C, C},
                GroupRows(GroupExtents(args.x, args.groups)), args.epsilon, args.write, context);
}

}  // namespace

void register_group_norm_sums_1_split(OpRegistry& registry) {
  registry.add<GroupNormBackwardSumsArgs>(
      {"split", kDevice, [](const GroupNormBackwardSumsArgs& args) { return all_f32(args.x); },
       backward_sums});
  registry.add<GroupNormTangentSumsArgs>(
      {"split", kDevice, [](const GroupNormTangentSumsArgs& args) { return all_f32(args.x); },
       tangent_sums});
}

}  // namespace topograd::TOPOGRAD_BACKEND
