// dbeta[c] = sum of dy[r][c] over the rows r, dgamma[c] = sum of dy[r][c] xhat[r][c], with
// xhat = (x - mean) / sqrt(variance + epsilon).
//
// One pass over dy and x, in two stages, as in batchnorm_moments_1_split.cu:
// backward_sums_kernel: 256 threads own rows and channels as channel_grid.h says, sum dy and
//   dy (x - mean) in double, add them up by channel in shared memory (4 KB), and leave a pair per
//   block and channel.
// gradients_of_sums_kernel: a warp per channel adds the blocks' pairs in a fixed order; the second
//   sum is divided by the deviation once, not at every element.
//
// Traffic: 8 bytes per element. Work: 4 FLOP in double per element and two conversions. Memory
// bounds it, with the same exception as for the moments.
#include "kernels/batchnorm/batchnorm.h"
#include "kernels/batchnorm/channel_grid.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

__global__ void __launch_bounds__(kChannelThreads)
    backward_sums_kernel(TwoSums* __restrict__ sums, const float* __restrict__ dy,
                         const float* __restrict__ x, const float* __restrict__ mean,
                         ChannelGrid g) {
  // This thread owns one channel of every row_step-th row.
  const ChannelThread thread = channel_thread(g);
  const double m = mean[thread.channel];
  TwoSums own{0, 0};
#pragma unroll 4  // pairs of loads under way before the first is added
  for (int64_t r = thread.first_row; r < g.rows; r += thread.row_step) {
    const double slope = dy[r * g.C + thread.channel];
    own.first += slope;
    own.second += slope * (x[r * g.C + thread.channel] - m);
  }
  __shared__ TwoSums shared[kChannelThreads];
  store_block_sums(sums, own, shared, g, thread);
}

__global__ void __launch_bounds__(kChannelThreads)
    gradients_of_sums_kernel(float* __restrict__ dgamma, float* __restrict__ dbeta,
                             const TwoSums* __restrict__ sums, const float* __restrict__ variance,
                             double epsilon, ChannelGrid g) {
  // This thread's warp owns one channel.
  const int channel = static_cast<int>(first_element() / kWarp);
  if (channel >= g.C) return;  // the whole warp
  const TwoSums total = sum_of_blocks(sums, channel, g);
  if (threadIdx.x % kWarp == 0) {
    dbeta[channel] = static_cast<float>(total.first);
    dgamma[channel] = static_cast<float>(total.second / sqrt(variance[channel] + epsilon));
  }
}

void run(const BatchnormBackwardSumsArgs& args, Context& context) {
  const ChannelGrid g = channel_grid(args.x.size(), args.mean.size());
  TwoSums* sums = block_sums(g, context);
  launch(backward_sums_kernel, g.grid(), dim3(kChannelThreads), 0, context, sums,
         pointer<float>(args.dy), pointer<float>(args.x), pointer<float>(args.mean), g);
  launch(gradients_of_sums_kernel, warp_per_channel(g), dim3(kChannelThreads), 0, context,
         pointer<float>(args.dgamma), pointer<float>(args.dbeta), sums,
         pointer<float>(args.variance), args.epsilon, g);
}

}  // namespace

void register_batchnorm_backward_sums_1_split(OpRegistry& registry) {
  registry.add<BatchnormBackwardSumsArgs>(
      {"split", kDevice, [](const BatchnormBackwardSumsArgs& args) { return all_f32(args.x); },
       run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
