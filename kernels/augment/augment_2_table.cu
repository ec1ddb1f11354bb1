// Images picked, cropped, mirrored and normalised: blocks own images, and look the values up.
//
// Block (b, part) owns a part of the images b, b + grid, ...; its thread t the elements t,
// t + step, ... of that part. A pixel has 256 values: each block first normalises all of them for
// every channel and keeps the table in shared memory (C KB, at most 16). An element is a look-up.
// Since rung 1: at 32 x 32 x 3 a block divides for 768 table entries in place of 3072 elements, and
// finds the image, its offset and its flip once in place of 3072 times; two divisions of indices
// are left, by multiplication.
// Traffic: 4 bytes written and 1 read per element. Shared memory: the lanes of a warp look up
// random places, three or four of which share a bank, still faster than memory delivers pixels.
// Some 60 instructions per element, against 34 that a multiprocessor of an H200 has time for:
// these, not memory, bound it (predicted).
#include "kernels/augment/augment_source.h"
#include "kernels/core/divisor.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;
constexpr int kElementsOfPart = 4096;  // about this many, so that a table serves many elements

__global__ void __launch_bounds__(kThreads)
    augment_kernel(float* __restrict__ y, Source<uint8_t> source, Statistics statistics, int64_t N,
                   Divisor C, Divisor row_size) {
  __shared__ float table[kMaxChannels * kPixelValues];
  for (int64_t i = threadIdx.x; i < source.C * kPixelValues; i += kThreads)
    table[i] = normalised(static_cast<uint8_t>(i % kPixelValues), i / kPixelValues, statistics);
  __syncthreads();  // the table is complete before any thread looks up

  const int64_t image_size = source.H * source.W * source.C;
  for (int64_t n = blockIdx.x; n < N; n += gridDim.x) {  // this block's images
    const Placement<uint8_t> from = source.placement(n);
    for (int64_t i = blockIdx.y * kThreads + threadIdx.x; i < image_size;
         i += gridDim.y * kThreads) {
      const auto [h, in_row] = row_size.divide(i);
      const auto [w, c] = C.divide(in_row);
      y[n * image_size + i] =
          from.image ? table[c * kPixelValues + source.pixel(from, h, w, c)] : NAN;
    }
  }
}

bool supports_table(const AugmentArgs& args) {
  return supports_augment(args) && args.images.dtype() == DType::u8;
}

void run(const AugmentArgs& args, Context& context) {
  const int64_t N = args.y.dim(0);
  const Source<uint8_t> source(args);
  const int64_t row_size = source.W * source.C;
  const dim3 parts = grid_for(source.H * row_size, kElementsOfPart);
  launch(augment_kernel, dim3(grid_for(N, 1).x, parts.x), dim3(kThreads), 0, context,
         pointer<float>(args.y), source, Statistics(args), N, Divisor(source.C), Divisor(row_size));
}

}  // namespace

void register_augment_2_table(OpRegistry& registry) {
  registry.add<AugmentArgs>({"table", kDevice, supports_table, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
