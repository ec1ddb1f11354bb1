// Resizing, forward and backward, one thread per element of the output.
//
// Forward, thread i owns elements i, i + step, ... of y: it works out the position of its pixel in
// the input, and reads the nearest pixel, or four. Backward, it owns elements of dx: it finds the
// rows and columns of outputs that read its pixel, which are neighbours, and adds them up with
// their weights. The scatter, outputs that add to the pixels they read, would need atomics; this
// has the same order every time.
// Channels are innermost: the lanes of a warp own 32 neighbouring channels, agree about positions,
// and every load is one line.
// Traffic, if overlapping reads come from the cache: 4 bytes per element of x and of y; backward 4
// per element of dy and of dx, 4 more where it adds. Work: 8 FLOP per output (bilinear, forward);
// positions in double, some 20 operations per axis forward, and backward some 20 for every
// candidate among the readers, of which there are 2 or 3 more than readers at each end. Memory
// bounds the forward pass where a multiprocessor has 64 double units; backward those units do
// (predicted). A rung that keeps the axes' positions in shared memory would be next.
#include "kernels/core/divisor.h"
#include "kernels/core/launch.h"
#include "kernels/resize/resize_axis.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;

/// Computes y[n, oh, ow, c] for this thread's elements.
__global__ void __launch_bounds__(kThreads)
    forward_kernel(float* __restrict__ y, const float* __restrict__ x, int64_t size,
                   ResizeAxes axes, int64_t channels, Divisor C, Divisor OW, Divisor OH) {
  for (int64_t i = first_element(); i < size; i += element_step()) {
    const auto [pixel, c] = C.divide(i);
    const auto [row, ow] = OW.divide(pixel);
    const auto [n, oh] = OH.divide(row);
    const Taps h = axes.h.taps(oh), w = axes.w.taps(ow);
    const float* image = x + n * axes.h.pixels * axes.w.pixels * channels + c;
    float sum = 0;
    for (int down = 0; down < (h.share != 0 ? 2 : 1); ++down)
      for (int right = 0; right < (w.share != 0 ? 2 : 1); ++right) {
        const float weight = static_cast<float>(down ? h.share : 1 - h.share) *
                             static_cast<float>(right ? w.share : 1 - w.share);
        const int64_t at =
            (down ? h.second : h.first) * axes.w.pixels + (right ? w.second : w.first);
        sum += weight * image[at * channels];
      }
    y[i] = sum;
  }
}

/// Computes dx[n, h, w, c] for this thread's elements.
__global__ void __launch_bounds__(kThreads)
    backward_kernel(float* __restrict__ dx, const float* __restrict__ dy, int64_t size,
                    ResizeAxes axes, int64_t channels, Divisor C, Divisor W, Divisor H,
                    bool accumulate) {
  for (int64_t i = first_element(); i < size; i += element_step()) {
    const auto [pixel, c] = C.divide(i);
    const auto [row, w] = W.divide(pixel);
    const auto [n, h] = H.divide(row);
    const ResizeAxis::Readers rows = axes.h.readers(h), columns = axes.w.readers(w);
    const float* image = dy + n * axes.h.outputs * axes.w.outputs * channels + c;
    float sum = accumulate ? dx[i] : 0.0f;
    for (int64_t oh = rows.first; oh < rows.end; ++oh) {
      const float weight_h = static_cast<float>(axes.h.taps(oh).weight(h));
      for (int64_t ow = columns.first; ow < columns.end; ++ow)
        sum += weight_h * static_cast<float>(axes.w.taps(ow).weight(w)) *
               image[(oh * axes.w.outputs + ow) * channels];
    }
    dx[i] = sum;
  }
}

void forward(const ResizeForwardArgs& args, Context& context) {
  const ResizeAxes axes(args.x, args.y, args.geometry);
  const int64_t size = args.y.size(), C = args.y.dim(3);
  launch(forward_kernel, grid_for(size, kThreads), dim3(kThreads), 0, context,
         pointer<float>(args.y), pointer<float>(args.x), size, axes, C, Divisor(C),
         Divisor(axes.w.outputs), Divisor(axes.h.outputs));
}

void backward(const ResizeBackwardArgs& args, Context& context) {
  const ResizeAxes axes(args.dx, args.dy, args.geometry);
  const int64_t size = args.dx.size(), C = args.dx.dim(3);
  launch(backward_kernel, grid_for(size, kThreads), dim3(kThreads), 0, context,
         pointer<float>(args.dx), pointer<float>(args.dy), size, axes, C, Divisor(C),
         Divisor(axes.w.pixels), Divisor(axes.h.pixels), args.write == Write::accumulate);
}

}  // namespace

void register_resize_1_plain(OpRegistry& registry) {
  registry.add<ResizeForwardArgs>(
      {"plain", kDevice, [](const ResizeForwardArgs& args) { return all_f32(args.x); }, forward});
  registry.add<ResizeBackwardArgs>({"plain", kDevice,
                                    [](const ResizeBackwardArgs& args) { return all_f32(args.dx); },
                                    backward});
}

}  // namespace topograd::TOPOGRAD_BACKEND
