// Writes a part of y's channels; and takes its gradient out again.
//
// Thread i owns elements i, i + step, ... of the part. Channels are innermost, so a warp reads (or,
// backward, writes) one line of the part, and touches runs of Cp neighbours of y.
// Traffic: 8 bytes per element of the part (12 where a gradient is added to what is there).
// Work: one division by multiplication, some 15 instructions (see kernels/core/divisor.h), which
// keeps up with memory. Memory bounds it.
#include "kernels/concat/concat.h"
#include "kernels/core/divisor.h"
#include "kernels/core/launch.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;

/// Sets y[pixel, first + c] = part[pixel, c]; n elements of part.
__global__ void __launch_bounds__(kThreads)
    concat_kernel(float* __restrict__ y, const float* __restrict__ part, int64_t n,
                  Divisor part_channels, int64_t channels, int64_t first) {
  for (int64_t i = first_element(); i < n; i += element_step()) {
    const auto [pixel, c] = part_channels.divide(i);
    y[pixel * channels + first + c] = part[i];
  }
}

/// Sets dpart[pixel, c] = dy[pixel, first + c], or adds it; n elements of dpart.
__global__ void __launch_bounds__(kThreads)
    take_kernel(float* __restrict__ dpart, const float* __restrict__ dy, int64_t n,
                Divisor part_channels, int64_t channels, int64_t first, bool accumulate) {
  for (int64_t i = first_element(); i < n; i += element_step()) {
    const auto [pixel, c] = part_channels.divide(i);
    const float value = dy[pixel * channels + first + c];
    dpart[i] = accumulate ? dpart[i] + value : value;
  }
}

void forward(const ConcatArgs& args, Context& context) {
  const int64_t n = args.part.size();
  if (n == 0) return;
  launch(concat_kernel, grid_for(n, kThreads), dim3(kThreads), 0, context, pointer<float>(args.y),
         pointer<float>(args.part), n, Divisor(args.part.dim(3)), args.y.dim(3), args.first);
}

void backward(const ConcatBackwardArgs& args, Context& context) {
  const int64_t n = args.dpart.size();
  if (n == 0) return;
  launch(take_kernel, grid_for(n, kThreads), dim3(kThreads), 0, context, pointer<float>(args.dpart),
         pointer<float>(args.dy), n, Divisor(args.dpart.dim(3)), args.dy.dim(3), args.first,
         args.write == Write::accumulate);
}

}  // namespace

void register_concat_1_stream(OpRegistry& registry) {
  registry.add<ConcatArgs>(
      {"stream", kDevice, [](const ConcatArgs& args) { return all_f32(args.y); }, forward});
  registry.add<ConcatBackwardArgs>({"stream", kDevice,
                                    [](const ConcatBackwardArgs& args) { return all_f32(args.dy); },
                                    backward});
}

}  // namespace topograd::TOPOGRAD_BACKEND
