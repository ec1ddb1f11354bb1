// The mean of every channel over the image, and its gradient, one thread per element of the output.
//
// Forward, thread i owns mean i, i + step, ...: its image and channel, over whose pixels it walks;
// the lanes of a warp read 32 neighbouring channels of a pixel, one line. Backward, it owns
// elements of dx. Traffic: forward 4 bytes per element of x; backward 4, or 8 where it adds. Work:
// one addition in double per element, forward. Backward, memory bounds it; forward, it does so with
// thousands of images. A training batch of 128 images of 64 channels is 8192 threads, where a GPU
// has room for 270,000, and each waits for its 64 pixels one after the other: some 10 us
// (predicted).
#include "kernels/core/divisor.h"
#include "kernels/core/launch.h"
#include "kernels/pool/pool.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;

__global__ void __launch_bounds__(kThreads)
    forward_kernel(float* __restrict__ y, const float* __restrict__ x, int64_t means,
                   int64_t pixels, Divisor C, int64_t channels) {
  for (int64_t i = first_element(); i < means; i += element_step()) {
    const auto [n, c] = C.divide(i);
    double sum = 0;
    for (int64_t pixel = n * pixels; pixel < (n + 1) * pixels; ++pixel)
      sum += x[pixel * channels + c];
    y[i] = static_cast<float>(sum / static_cast<double>(pixels));
  }
}

__global__ void __launch_bounds__(kThreads)
    backward_kernel(float* __restrict__ dx, const float* __restrict__ dy, int64_t size,
                    int64_t channels, Divisor C, Divisor image, float share, bool accumulate) {
  for (int64_t i = first_element(); i < size; i += element_step()) {
    const float gradient = dy[image.quotient(i) * channels + C.remainder(i)] * share;
    dx[i] = accumulate ? dx[i] + gradient : gradient;
  }
}

void forward(const GlobalAveragePoolForwardArgs& args, Context& context) {
  const int64_t means = args.y.size(), C = args.x.dim(3);
  launch(forward_kernel, grid_for(means, kThreads), dim3(kThreads), 0, context,
         pointer<float>(args.y), pointer<float>(args.x), means, args.x.dim(1) * args.x.dim(2),
         Divisor(C), C);
}

void backward(const GlobalAveragePoolBackwardArgs& args, Context& context) {
  const int64_t size = args.dx.size(), C = args.dx.dim(3);
  const int64_t pixels = args.dx.dim(1) * args.dx.dim(2);
  launch(backward_kernel, grid_for(size, kThreads), dim3(kThreads), 0, context,
         pointer<float>(args.dx), pointer<float>(args.dy), size, C, Divisor(C), Divisor(pixels * C),
         1 / static_cast<float>(pixels), args.write == Write::accumulate);
}

}  // namespace

void register_global_average_pool_1_plain(OpRegistry& registry) {
  registry.add<GlobalAveragePoolForwardArgs>(
      {"plain", kDevice, [](const GlobalAveragePoolForwardArgs& args) { return all_f32(args.x); },
       forward});
  registry.add<GlobalAveragePoolBackwardArgs>(
      {"plain", kDevice, [](const GlobalAveragePoolBackwardArgs& args) { return all_f32(args.dx); },
       backward});
}

}  // namespace topograd::TOPOGRAD_BACKEND
