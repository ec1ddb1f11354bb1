// moments[0][c] = the mean of x[r][c] over the rows r; moments[1][c] = the sum of its squared
// deviations from that mean.
//
// One pass over x, in two stages. With a pivot p out of the data, row 0's value of the channel, and
// d = x - p in double (exact, unless one is 2^29 times the other):
//   S1 = sum of d,  S2 = sum of d^2;   mean = p + S1 / n,   sum of (x - mean)^2 = S2 - S1^2 / n.
// moments_kernel: 256 threads own rows and channels as channel_grid.h says, sum their d and d^2 in
//   double, add them up by channel in shared memory (4 KB), and leave a pair per block and channel.
// moments_of_sums_kernel: a warp per channel adds the blocks' pairs in a fixed order and finishes.
//
// Why that last difference is exact enough, and E[x^2] - mean^2 is not: what S2 and S1^2 / n have
// in common, and lose, is n (mean - p)^2. With p = 0 that is mean^2 / variance times the result,
// without bound. But p is one of the data, so (mean - p)^2 is a term of the result itself: S2 is at
// most n + 1 times the result, usually two times. The rounding of S2, 10^-15 of it, is then 10^-9
// of the result at worst with n = 10^6, and cannot make it negative.
//
// Traffic: 4 bytes per element; the pairs, 32 bytes per block and channel, are a few per cent more.
// Work: 4 FLOP in double per element and a conversion. Memory bounds it on a GPU whose double units
// are half as many as its single ones (A100, H100); with one in 64, the conversions and sums do.
#include "kernels/batchnorm/batchnorm.h"
#include "kernels/batchnorm/channel_grid.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

__global__ void __launch_bounds__(kChannelThreads)
    moments_kernel(TwoSums* __restrict__ sums, const float* __restrict__ x, ChannelGrid g) {
  // This thread owns one channel of every row_step-th row.
  const ChannelThread thread = channel_thread(g);
  const double pivot = x[thread.channel];
  TwoSums own{0, 0};
#pragma unroll 4  // loads under way before the first is added
  for (int64_t r = thread.first_row; r < g.rows; r += thread.row_step) {
    const double d = x[r * g.C + thread.channel] - pivot;
    own.first += d;
    own.second += d * d;
  }
  __shared__ TwoSums shared[kChannelThreads];
  store_block_sums(sums, own, shared, g, thread);
}

__global__ void __launch_bounds__(kChannelThreads)
    moments_of_sums_kernel(double* __restrict__ moments, const TwoSums* __restrict__ sums,
                           const float* __restrict__ x, ChannelGrid g) {
  // This thread's warp owns one channel.
  const int channel = static_cast<int>(first_element() / kWarp);
  if (channel >= g.C) return;  // the whole warp
  const TwoSums total = sum_of_blocks(sums, channel, g);
  const double n = static_cast<double>(g.rows);
  if (threadIdx.x % kWarp == 0) {
    moments[channel] = x[channel] + total.first / n;
    moments[g.C + channel] = total.second - total.first * total.first / n;
  }
}

void run(const BatchnormMomentsArgs& args, Context& context) {
  const ChannelGrid g = channel_grid(args.x.size(), args.moments.dim(1));
  TwoSums* sums = block_sums(g, context);
  launch(moments_kernel, g.grid(), dim3(kChannelThreads), 0, context, sums, pointer<float>(args.x),
         g);
  launch(moments_of_sums_kernel, warp_per_channel(g), dim3(kChannelThreads), 0, context,
         pointer<double>(args.moments), sums, pointer<float>(args.x), g);
}

}  // namespace

void register_batchnorm_moments_1_split(OpRegistry& registry) {
  registry.add<BatchnormMomentsArgs>(
      {"split", kDevice, [](const BatchnormMomentsArgs& args) { return all_f32(args.x); }, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
