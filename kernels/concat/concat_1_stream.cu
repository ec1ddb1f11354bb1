// y = a and b side by side along the channels; and the gradient, taken apart again.
//
// Forward, thread i owns elements i, i + step, ... of y: channels are innermost, so a warp writes
// one line, and reads neighbours of a, of b, or of both where it straddles the seam. Backward, it
// owns elements of da, then, in a second launch, of db.
// Traffic: 8 bytes per element of y, either way (12 where a gradient is added to what is there).
// Work: one division by multiplication, some 15 instructions (see kernels/core/divisor.h), which
// keeps up with memory. Memory bounds it.
#include "kernels/concat/concat.h"
#include "kernels/core/divisor.h"
#include "kernels/core/launch.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;

__global__ void __launch_bounds__(kThreads)
    concat_kernel(float* __restrict__ y, const float* __restrict__ a, const float* __restrict__ b,
                  int64_t n, int64_t Ca, int64_t Cb, Divisor C) {
  for (int64_t i = first_element(); i < n; i += element_step()) {
    const auto [pixel, c] = C.divide(i);
    y[i] = c < Ca ? a[pixel * Ca + c] : b[pixel * Cb + c - Ca];
  }
}

/// part[pixel, c] = whole[pixel, first + c], replaced or added; n elements of part.
__global__ void __launch_bounds__(kThreads)
    take_kernel(float* __restrict__ part, const float* __restrict__ whole, int64_t n,
                Divisor part_channels, int64_t whole_channels, int64_t first, bool accumulate) {
  for (int64_t i = first_element(); i < n; i += element_step()) {
    const auto [pixel, c] = part_channels.divide(i);
    const float value = whole[pixel * whole_channels + first + c];
    part[i] = accumulate ? part[i] + value : value;
  }
}

void forward(const ConcatArgs& args, Context& context) {
  const int64_t n = args.y.size();
  launch(concat_kernel, grid_for(n, kThreads), dim3(kThreads), 0, context, pointer<float>(args.y),
         pointer<float>(args.a), pointer<float>(args.b), n, args.a.dim(3), args.b.dim(3),
         Divisor(args.y.dim(3)));
}

void take(const Tensor& part, const Tensor& whole, int64_t first, Write write, Context& context) {
  const int64_t n = part.size();
  launch(take_kernel, grid_for(n, kThreads), dim3(kThreads), 0, context, pointer<float>(part),
         pointer<float>(whole), n, Divisor(part.dim(3)), whole.dim(3), first,
         write == Write::accumulate);
}

void backward(const ConcatBackwardArgs& args, Context& context) {
  if (args.da.defined()) take(args.da, args.dy, 0, args.write_a, context);
  if (args.db.defined())
    take(args.db, args.dy, args.dy.dim(3) - args.db.dim(3), args.write_b, context);
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
