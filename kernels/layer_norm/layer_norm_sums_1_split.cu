// dgamma[c] = sum of dy xhat and dbeta[c] = sum of dy over the rows, and with tangents
// dgamma'[c] = sum of dy' xhat + dy xhat' and dbeta'[c] = sum of dy'.
//
// Sums over rows want a thread per channel, a row's statistics want a warp per row. So there are
// three kernels (row_sums.cuh):
//   1. statistics: a warp owns row r, then r + warps of the grid, ..., and writes mean and inverse,
//      with tangents a and b too, as doubles.
//   2. sums: block (b, k) owns a run of rows and 32 channels; thread t owns channel t % 32 of the
//      rows t / 32, t / 32 + 8, ... of its block, so that a warp reads 128 consecutive bytes. Two
//      sums of each thread meet in shared memory (4 KB), where the first warp adds the eight of its
//      channel.
//   3. totals: thread c owns a channel and adds the blocks' sums in their order.
// The cut depends on the shape alone and every sum has a fixed order: the same bits every time.
//
// Traffic: 4 bytes per element of x in the first kernel (8 with x'), 8 in the second (16 with
// tangents), and 16 or 32 bytes per row twice. Work: 5 FLOP in double per element in the first, 4
// in the second (with tangents 9 and 10).
#include "kernels/layer_norm/layer_norm.h"
#include "kernels/layer_norm/layer_norm_tangent.h"
#include "kernels/layer_norm/row_sums.cuh"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

/// Rows of an array [rows, C]: a pixel each.
struct PixelRows {
  int64_t count, size;
  __device__ const float* row(const float* x, int64_t r) const { return x + r * size; }
  __device__ int64_t row_of(int64_t pixel, int64_t) const { return pixel; }
};

void backward_sums(const LayerNormBackwardSumsArgs& args, Context& context) {
  const int64_t C = args.dgamma.size(), rows = args.x.size() / C;
  sum_over_rows(args.dgamma, args.dbeta,
                {pointer<float>(args.dy), pointer<float>(args.x), nullptr, nullptr, rows, C},
                PixelRows{rows, C}, args.epsilon, args.write, context);
}

void tangent_sums(const LayerNormTangentSumsArgs& args, Context& context) {
  const int64_t C = args.dgamma_tangent.size(), rows = args.x.size() / C;
  sum_over_rows(args.dgamma_tangent, args.dbeta_tangent,
                {pointer<float>(args.dy), pointer<float>(args.x), pointer<float>(args.dy_tangent),
                 pointer<float>(args.x_tangent), rows, C},
                PixelRows{rows, C}, args.epsilon, args.write, context);
}

}  // namespace

void register_layer_norm_sums_1_split(OpRegistry& registry) {
  registry.add<LayerNormBackwardSumsArgs>(
      {"split", kDevice, [](const LayerNormBackwardSumsArgs& args) { return all_f32(args.x); },
       backward_sums});
  registry.add<LayerNormTangentSumsArgs>(
      {"split", kDevice, [](const LayerNormTangentSumsArgs& args) { return all_f32(args.x); },
       tangent_sums});
}

}  // namespace topograd::TOPOGRAD_BACKEND
