// y = m x, where m is 1 / keep or 0 for a whole unit: an element, a channel of an image, an image.
//
// Elements: thread i owns groups of four units i, i + step, ..., counted from unit 0 of the random
// numbers, as Philox gives four words at a time: a group at either end may lie partly outside the
// tensor. A warp touches 512 consecutive bytes. There is no state and no mask in memory: the
// backward pass draws the same words again.
// Channels and images: thread i owns elements i, i + step, ..., and draws its unit's word, as do all
// others of the unit: ten times the arithmetic, but such layers are small or few.
// Traffic: 8 bytes per element (12 where it adds). Work: Philox, ten rounds of two products of 32 by
// 32 bits, some 100 instructions: 25 an element in fours, about half of what an H200 has time for
// while memory delivers; 100 and two divisions otherwise, where arithmetic bounds it (predicted).
#include "kernels/core/divisor.h"
#include "kernels/core/launch.h"
#include "kernels/dropout/dropout_mask.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;

/// y may be x.
__global__ void __launch_bounds__(kThreads)
    elements_kernel(float* y, const float* x, int64_t n, DropoutMask mask, bool accumulate) {
  const uint64_t first_group = mask.first / 4;
  const int64_t groups =
      static_cast<int64_t>((mask.first + static_cast<uint64_t>(n) + 3) / 4 - first_group);
  for (int64_t g = first_element(); g < groups; g += element_step()) {
    const uint64_t group = first_group + static_cast<uint64_t>(g);
    const auto factors = mask.factors(group);
    const int64_t begin = static_cast<int64_t>(4 * group - mask.first);  // below 0: not ours
#pragma unroll
    for (int k = 0; k < 4; ++k) {
      const int64_t i = begin + k;
      if (i < 0 || i >= n) continue;
      const float value = x[i] * factors[static_cast<size_t>(k)];
      y[i] = accumulate ? y[i] + value : value;
    }
  }
}

/// `channels`: units are channels; else images. y may be x.
__global__ void __launch_bounds__(kThreads)
    units_kernel(float* y, const float* x, int64_t n, Divisor image, Divisor C, int64_t C_count,
                 bool channels, DropoutMask mask, bool accumulate) {
  for (int64_t i = first_element(); i < n; i += element_step()) {
    const int64_t of_image = image.quotient(i);
    const int64_t unit = channels ? of_image * C_count + C.remainder(i) : of_image;
    const float value = x[i] * mask.factor_of(unit);
    y[i] = accumulate ? y[i] + value : value;
  }
}

void run(const DropoutArgs& args, Context& context) {
  const int64_t n = args.x.size();
  if (n == 0) return;
  const DropoutMask mask(args);
  const bool accumulate = args.write == Write::accumulate;
  float* y = pointer<float>(args.y);
  const float* x = pointer<float>(args.x);
  if (args.unit == DropoutUnit::element) {
    launch(elements_kernel, grid_for(ceil_div(n, 4) + 1, kThreads), dim3(kThreads), 0, context, y,
           x, n, mask, accumulate);
    return;
  }
  const int64_t C = args.x.dim(args.x.shape().rank() - 1);
  launch(units_kernel, grid_for(n, kThreads), dim3(kThreads), 0, context, y, x, n,
         Divisor(n / args.x.dim(0)), Divisor(C), C, args.unit == DropoutUnit::channel, mask,
         accumulate);
}

}  // namespace

void register_dropout_1_philox(OpRegistry& registry) {
  registry.add<DropoutArgs>(
      {"philox", kDevice, [](const DropoutArgs& args) { return all_f32(args.x); }, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
