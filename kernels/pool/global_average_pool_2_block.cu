// The mean of every channel over the image: one block for 32 channels of an image.
//
// A block of 32 x 8 threads owns tile b, b + grid, ...: 32 channels of one image. Thread (x, y)
// adds channel x of the pixels y, y + 8, y + 16, ... in double; a warp, which has one y, reads 32
// neighbouring channels of a pixel. The eight sums of a channel meet in shared memory (2 KB), where
// the threads of y = 0 add them, in order.
// Since rung 1: eight times as many threads, each with an eighth of the waiting. 8192 means of 64
// pixels, a training batch: 65,536 threads and some 2 us (predicted). C should be a multiple of 32;
// else lanes of the last tile idle.
// Traffic: 4 bytes per element of x. Work: one addition in double per element. Memory bounds it.
#include "kernels/core/launch.h"
#include "kernels/pool/pool.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kChannels = kWarp;  // channels of a tile
constexpr int kPixels = 8;        // pixels that a block reads at once

__global__ void __launch_bounds__(kChannels* kPixels)
    forward_kernel(float* __restrict__ y, const float* __restrict__ x, int64_t tiles,
                   int64_t tiles_per_image, int64_t pixels, int64_t C) {
  __shared__ double sums[kPixels][kChannels];
  for (int64_t tile = blockIdx.x; tile < tiles; tile += gridDim.x) {  // its tiles
    const int64_t n = tile / tiles_per_image;
    const int64_t c = tile % tiles_per_image * kChannels + threadIdx.x;
    double sum = 0;
    if (c < C)
      for (int64_t pixel = threadIdx.y; pixel < pixels; pixel += kPixels)
        sum += x[(n * pixels + pixel) * C + c];
    sums[threadIdx.y][threadIdx.x] = sum;
    __syncthreads();  // the sums are complete before they are added
    if (threadIdx.y == 0 && c < C) {
      for (int i = 1; i < kPixels; ++i) sum += sums[i][threadIdx.x];
      y[n * C + c] = static_cast<float>(sum / static_cast<double>(pixels));
    }
    __syncthreads();  // the sums are read before the next tile's replace them
  }
}

void forward(const GlobalAveragePoolForwardArgs& args, Context& context) {
  const int64_t C = args.x.dim(3), tiles_per_image = ceil_div(C, kChannels);
  const int64_t tiles = args.x.dim(0) * tiles_per_image;
  launch(forward_kernel, grid_for(tiles, 1), dim3(kChannels, kPixels), 0, context,
         pointer<float>(args.y), pointer<float>(args.x), tiles, tiles_per_image,
         args.x.dim(1) * args.x.dim(2), C);
}

}  // namespace

void register_global_average_pool_2_block(OpRegistry& registry) {
  registry.add<GlobalAveragePoolForwardArgs>(
      {"block", kDevice, [](const GlobalAveragePoolForwardArgs& args) { return all_f32(args.x); },
       forward});
}

}  // namespace topograd::TOPOGRAD_BACKEND
