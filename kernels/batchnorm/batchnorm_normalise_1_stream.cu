// y = gamma (x - mean) / sqrt(variance + epsilon) + beta, per channel; with relu, its maximum with
// 0.
//
// A thread owns one channel of every row_step-th row (channel_grid.h), so neighbouring threads
// touch neighbouring floats. It forms its channel's scale gamma / sqrt(variance + epsilon) once, in
// double, and has a subtraction and a multiply-add left per element.
// Traffic: 8 bytes per element. Work: 3 FLOP. Memory bounds it.
#include "kernels/batchnorm/batchnorm.h"
#include "kernels/batchnorm/channel_grid.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

/// Kernel over the elements; y may be x. Null parameters: gamma 1, beta 0.
__global__ void __launch_bounds__(kChannelThreads)
    normalise_kernel(float* y, const float* x, const float* __restrict__ gamma,
                     const float* __restrict__ beta, const float* __restrict__ mean,
                     const float* __restrict__ variance, double epsilon, bool relu, ChannelGrid g) {
  // This thread owns one channel of every row_step-th row.
  const ChannelThread thread = channel_thread(g);
  const int c = thread.channel;
  const float centre = mean[c], shift = element_or(beta, c, 0.0f);
  const float scale = static_cast<float>(element_or(gamma, c, 1.0f) * rsqrt(variance[c] + epsilon));
  for (int64_t r = thread.first_row; r < g.rows; r += thread.row_step) {
    const float sum = (x[r * g.C + c] - centre) * scale + shift;
    y[r * g.C + c] = relu && sum < 0 ? 0.0f : sum;  // NaN is not below 0: it stays
  }
}

void run(const BatchnormNormaliseArgs& args, Context& context) {
  const ChannelGrid g = channel_grid(args.x.size(), args.variance.size());
  launch(normalise_kernel, g.grid(), dim3(kChannelThreads), 0, context, pointer<float>(args.y),
         pointer<float>(args.x), pointer<float>(args.gamma), pointer<float>(args.beta),
         pointer<float>(args.mean), pointer<float>(args.variance), args.epsilon, args.relu, g);
}

}  // namespace

void register_batchnorm_normalise_1_stream(OpRegistry& registry) {
  registry.add<BatchnormNormaliseArgs>(
      {"stream", kDevice, [](const BatchnormNormaliseArgs& args) { return all_f32(args.x); }, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
