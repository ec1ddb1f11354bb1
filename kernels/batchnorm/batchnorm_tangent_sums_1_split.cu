// dbeta'[c] = sum of dy'[r][c] over the rows r, dgamma'[c] = sum of dy' xhat + dy xhat', with
// xhat = (x - mean) i and xhat' = i ((x' - a) - i b (x - mean)) as in batchnorm_tangent.h.
//
// One pass over four arrays, in two stages, as in batchnorm_backward_sums_1_split.cu:
// tangent_sums_kernel: 256 threads own rows and channels as channel_grid.h says, sum dy' and
//   dy' (x - mean) + dy ((x' - a) - i b (x - mean)) in double, add them up by channel in shared
//   memory (4 KB), and leave a pair per block and channel.
// products_of_sums_kernel: a warp per channel adds the blocks' pairs in a fixed order; the second
//   sum is multiplied by i once.
//
// Traffic: 16 bytes per element. Work: 8 FLOP in double per element and four conversions. Memory
// bounds it, with the same exception as for the moments.
#include "kernels/batchnorm/batchnorm_tangent.h"
#include "kernels/batchnorm/channel_grid.h"
#include "kernels/batchnorm/tangent_state.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

__global__ void __launch_bounds__(kChannelThreads)
    tangent_sums_kernel(TwoSums* __restrict__ sums, const float* __restrict__ dy_tangent,
                        const float* __restrict__ dy, const float* __restrict__ x_tangent,
                        const float* __restrict__ x, TangentState state, ChannelGrid g) {
  // This thread owns one channel of every row_step-th row.
  const ChannelThread thread = channel_thread(g);
  const int c = thread.channel;
  const double mean = state.mean[c];
  const double a = state.a(c), slope = state.inverse(c) * state.b(c);
  TwoSums own{0, 0};
#pragma unroll 2  // eight loads under way before the first is used
  for (int64_t r = thread.first_row; r < g.rows; r += thread.row_step) {
    const int64_t at = r * g.C + c;
    const double centred = x[at] - mean, tangent = dy_tangent[at];
    own.first += tangent;
    own.second += tangent * centred + dy[at] * (x_tangent[at] - a - slope * centred);
  }
  __shared__ TwoSums shared[kChannelThreads];
  store_block_sums(sums, own, shared, g, thread);
}

__global__ void __launch_bounds__(kChannelThreads)
    products_of_sums_kernel(float* __restrict__ dgamma_tangent, float* __restrict__ dbeta_tangent,
                            const TwoSums* __restrict__ sums, const float* __restrict__ variance,
                            double epsilon, ChannelGrid g) {
  // This thread's warp owns one channel.
  const int channel = static_cast<int>(first_element() / kWarp);
  if (channel >= g.C) return;  // the whole warp
  const TwoSums total = sum_of_blocks(sums, channel, g);
  if (threadIdx.x % kWarp == 0) {
    dbeta_tangent[channel] = static_cast<float>(total.first);
    dgamma_tangent[channel] = static_cast<float>(total.second * rsqrt(variance[channel] + epsilon));
  }
}

void run(const BatchnormTangentSumsArgs& args, Context& context) {
  const ChannelGrid g = channel_grid(args.x.size(), args.dgamma_tangent.size());
  TwoSums* sums = block_sums(g, context);
  launch(tangent_sums_kernel, g.grid(), dim3(kChannelThreads), 0, context, sums,
         pointer<float>(args.dy_tangent), pointer<float>(args.dy), pointer<float>(args.x_tangent),
         pointer<float>(args.x), TangentState(args.state), g);
  launch(products_of_sums_kernel, warp_per_channel(g), dim3(kChannelThreads), 0, context,
         pointer<float>(args.dgamma_tangent), pointer<float>(args.dbeta_tangent), sums,
         pointer<float>(args.state.variance), args.state.epsilon, g);
}

}  // namespace

void register_batchnorm_tangent_sums_1_split(OpRegistry& registry) {
  registry.add<BatchnormTangentSumsArgs>(
      {"split", kDevice, [](const BatchnormTangentSumsArgs& args) { return all_f32(args.x); },
       run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
