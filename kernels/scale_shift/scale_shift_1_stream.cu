// y = max(scale x + shift, 0): scale and shift belong to a network and a channel.
//
// Thread i owns elements i, i + step, ... of y. Channels are innermost, so a warp reads 32
// consecutive floats of x and, where C >= 32, of scale and shift, which stay in the L1 cache.
// Traffic: 8 bytes per element. Work: 3 FLOP. Memory bounds it.
#include "kernels/core/launch.h"
#include "kernels/scale_shift/scale_shift.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;

/// x_size is smaller than n where all networks share x. y may be x.
__global__ void __launch_bounds__(kThreads)
    scale_shift_kernel(float* y, const float* x, const float* __restrict__ scale,
                       const float* __restrict__ shift, int64_t n, int64_t x_size,
                       int64_t per_point, int C, bool relu) {
  for (int64_t i = first_element(); i < n; i += element_step()) {
    const int64_t channel = i / per_point * C + i % C;
    const float sum = scale[channel] * x[i < x_size ? i : i % x_size] + shift[channel];
    y[i] = relu && sum < 0 ? 0.0f : sum;  // NaN is not below 0: it stays
  }
}

void run(const ScaleShiftArgs& args, Context& context) {
  const int64_t n = args.y.size();
  if (n == 0) return;
  launch(scale_shift_kernel, grid_for(n, kThreads), dim3(kThreads), 0, context,
         pointer<float>(args.y), pointer<float>(args.x), pointer<float>(args.scale),
         pointer<float>(args.shift), n, args.x.size(), n / args.points,
         static_cast<int>(args.channels()), args.relu);
}

}  // namespace

void register_scale_shift_1_stream(OpRegistry& registry) {
  registry.add<ScaleShiftArgs>(
      {"stream", kDevice, [](const ScaleShiftArgs& args) { return all_f32(args.y); }, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
