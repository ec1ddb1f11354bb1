// dx (+)= s dy + (x - mean) slope + shift, per channel, with i = 1 / sqrt(variance + epsilon) and
//   s = gamma i,   slope = -gamma i^2 dgamma / n,   shift = -gamma i dbeta / n:
// the formula of batchnorm.h, its constants gathered. With constant statistics, s dy alone.
//
// A thread owns one channel of every row_step-th row (channel_grid.h), so neighbouring threads
// touch neighbouring floats, and forms the three constants once, in double.
// Traffic: 12 bytes per element, 4 more where it accumulates, 4 less with constant statistics.
// Work: 5 FLOP. Memory bounds it.
#include "kernels/batchnorm/batchnorm.h"
#include "kernels/batchnorm/channel_grid.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

/// Kernel over the elements. dgamma and dbeta are null where the statistics are constants: x and
/// mean are then not read. dx may be dy. Null gamma: 1.
__global__ void __launch_bounds__(kChannelThreads)
    backward_kernel(float* dx, const float* dy, const float* __restrict__ x,
                    const float* __restrict__ gamma, const float* __restrict__ mean,
                    const float* __restrict__ variance, const float* __restrict__ dgamma,
                    const float* __restrict__ dbeta, double per_element, double epsilon,
                    bool accumulate, ChannelGrid g) {
  // This thread owns one channel of every row_step-th row.
  const ChannelThread thread = channel_thread(g);
  const int c = thread.channel;
  const double inverse = rsqrt(variance[c] + epsilon);
  const float factor = element_or(gamma, c, 1.0f);
  const float scale = static_cast<float>(factor * inverse);
  float centre = 0, slope = 0, shift = 0;
  if (dgamma) {
    centre = mean[c];
    slope = static_cast<float>(-factor * inverse * inverse * dgamma[c] * per_element);
    shift = static_cast<float>(-factor * inverse * dbeta[c] * per_element);
  }
  for (int64_t r = thread.first_row; r < g.rows; r += thread.row_step) {
    const int64_t i = r * g.C + c;
    float sum = dy[i] * scale;
    if (dgamma) sum += (x[i] - centre) * slope + shift;
    dx[i] = accumulate ? dx[i] + sum : sum;
  }
}

void run(const BatchnormBackwardArgs& args, Context& context) {
  const bool batch = args.dgamma.defined();
  const ChannelGrid g = channel_grid(args.dy.size(), args.variance.size());
  launch(backward_kernel, g.grid(), dim3(kChannelThreads), 0, context, pointer<float>(args.dx),
         pointer<float>(args.dy), batch ? pointer<float>(args.x) : nullptr,
         pointer<float>(args.gamma), batch ? pointer<float>(args.mean) : nullptr,
         pointer<float>(args.variance), batch ? pointer<float>(args.dgamma) : nullptr,
         batch ? pointer<float>(args.dbeta) : nullptr, 1 / static_cast<double>(args.count),
         args.epsilon, args.write == Write::accumulate, g);
}

}  // namespace

void register_batchnorm_backward_1_stream(OpRegistry& registry) {
  registry.add<BatchnormBackwardArgs>(
      {"stream", kDevice, [](const BatchnormBackwardArgs& args) { return all_f32(args.dy); }, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
