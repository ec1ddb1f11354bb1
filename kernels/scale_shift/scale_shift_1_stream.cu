// y = max(scale x + shift, 0): scale and shift belong to a network and a channel.
//
// Thread i owns elements i, i + step, ... of y. Channels are innermost, so a warp reads 32
// consecutive floats of x and, where C >= 32, of scale and shift, which stay in the L1 cache.
// Traffic: 8 bytes per element. Work: 2 FLOP and a comparison, and two divisions by multiplication
// that find the network and the channel, some 15 instructions each (see kernels/core/divisor.h).
// Memory bounds it.
#include "kernels/core/divisor.h"
#include "kernels/core/launch.h"
#include "kernels/scale_shift/scale_shift.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;

/// Kernel over y. Networks of y are per_point elements long; with shares_x, x is one such network.
/// x begins with its first channel that is read, and its next row is x_step further on. y may be x.
__global__ void __launch_bounds__(kThreads)
    scale_shift_kernel(float* y, const float* x, const float* __restrict__ scale,
                       const float* __restrict__ shift, int64_t n, Divisor per_point, int64_t C,
                       Divisor channels, int64_t x_step, bool shares_x, bool relu) {
  // This thread owns elements first_element(), first_element() + element_step(), ... of y.
  for (int64_t i = first_element(); i < n; i += element_step()) {
    const auto [point, rest] = per_point.divide(i);
    const auto [row, c] = channels.divide(shares_x ? rest : i);
    const int64_t channel = point * C + c;
    const float sum = scale[channel] * x[row * x_step + c] + shift[channel];
    y[i] = relu && sum < 0 ? 0.0f : sum;  // NaN is not below 0: it stays
  }
}

void run(const ScaleShiftArgs& args, Context& context) {
  const int64_t n = args.y.size(), C = args.channels();
  if (n == 0) return;
  launch(scale_shift_kernel, grid_for(n, kThreads), dim3(kThreads), 0, context,
         pointer<float>(args.y), pointer<float>(args.x) + args.first, pointer<float>(args.scale),
         pointer<float>(args.shift), n, Divisor(n / args.points), C, Divisor(C), args.x_channels(),
         args.shares_x(), args.relu);
}

}  // namespace

void register_scale_shift_1_stream(OpRegistry& registry) {
  registry.add<ScaleShiftArgs>(
      {"stream", kDevice, [](const ScaleShiftArgs& args) { return all_f32(args.y); }, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
