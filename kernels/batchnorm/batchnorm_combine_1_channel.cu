// The batch's mean and variance from its chunks' moments, after Chan et al. (1979), and the running
// statistics moved towards them.
//
// Thread c owns channel c and goes through the chunks in order: with n elements so far and m in the
// chunk,
//   shift = chunk's mean - mean;   mean += shift m / (n + m);
//   squares += chunk's squares + shift^2 n m / (n + m).
// A GPU takes a batch as one chunk, and then this copies C numbers and moves C more: its cost is
// the launch. Traffic: 16 bytes per chunk and channel, 16 per channel. Latency bounds it.
#include "kernels/batchnorm/batchnorm.h"
#include "kernels/core/launch.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 128;

/// Returns running + momentum (batch - running), in double, rounded once.
__device__ inline float moved_towards(float running, double batch, double momentum) {
  return static_cast<float>((1 - momentum) * running + momentum * batch);
}

/// Kernel over the channels; running_mean and running_variance may be null.
__global__ void __launch_bounds__(kThreads)
    combine_kernel(float* __restrict__ mean_out, float* __restrict__ variance_out,
                   float* __restrict__ running_mean, float* __restrict__ running_variance,
                   const double* __restrict__ moments, int64_t chunks, int64_t C, int64_t count,
                   int64_t count_per_chunk, double momentum) {
  // This thread owns channels first_element(), first_element() + element_step(), ...
  for (int64_t c = first_element(); c < C; c += element_step()) {
    double n = 0, mean = 0, squares = 0;
    for (int64_t k = 0; k < chunks; ++k) {
      const double m = static_cast<double>(min(count_per_chunk, count - k * count_per_chunk));
      const double shift = moments[2 * k * C + c] - mean;
      squares += moments[(2 * k + 1) * C + c] + shift * shift * n * m / (n + m);
      mean += shift * m / (n + m);
      n += m;
    }
    mean_out[c] = static_cast<float>(mean);
    variance_out[c] = static_cast<float>(squares / n);
    if (!running_mean) continue;
    const double unbiased = squares / (n > 1 ? n - 1 : 1.0);
    running_mean[c] = moved_towards(running_mean[c], mean, momentum);
    running_variance[c] = moved_towards(running_variance[c], unbiased, momentum);
  }
}

void run(const BatchnormCombineArgs& args, Context& context) {
  const int64_t chunks = args.moments.dim(0), C = args.moments.dim(2);
  const bool running = args.running_mean.defined();
  launch(combine_kernel, grid_for(C, kThreads), dim3(kThreads), 0, context,
         pointer<float>(args.mean), pointer<float>(args.variance),
         running ? pointer<float>(args.running_mean) : nullptr,
         running ? pointer<float>(args.running_variance) : nullptr, pointer<double>(args.moments),
         chunks, C, args.count, args.count_per_chunk, args.momentum);
}

}  // namespace

void register_batchnorm_combine_1_channel(OpRegistry& registry) {
  registry.add<BatchnormCombineArgs>(
      {"channel", kDevice, [](const BatchnormCombineArgs& args) { return all_f32(args.mean); },
       run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
