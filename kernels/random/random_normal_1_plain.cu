// y[i] = scale * the normal number of index first + i, one thread per element.
//
// Thread i owns elements i, i + step, i + 2 step, ... There is no state to load or to store: a
// generator that steps from number to number would need one per thread, and its numbers would
// depend on how many threads there are. Philox is a function of the index. Traffic: 4 bytes written
// per element. Work: Philox, ten rounds of two products of 32 by 32 bits, some 100 instructions; a
// logarithm, a root and a cosine in double, some 150, of which about 100 for the double units.
// These bound it: 1.6 clocks per element and multiprocessor where there are 64 of them, 50 where
// there are 2; memory would take 0.2 (predicted).
//
// The formula is that of the CPU, philox.h's own functions, compiled for the device.
#include "kernels/core/launch.h"
#include "kernels/random/random_normal.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;

__global__ void __launch_bounds__(kThreads)
    random_normal_kernel(float* y, Philox random, uint64_t first, double scale, int64_t n) {
  // This thread owns elements first_element(), first_element() + element_step(), ...
  for (int64_t i = first_element(); i < n; i += element_step()) {
    const auto [u, v] = random.uniforms(first + static_cast<uint64_t>(i));
    y[i] = static_cast<float>(scale * box_muller(u, v));
  }
}

void run(const RandomNormalArgs& args, Context& context) {
  const int64_t n = args.y.size();
  launch(random_normal_kernel, grid_for(n, kThreads), dim3(kThreads), 0, context,
         pointer<float>(args.y), args.random, args.first, args.scale, n);
}

}  // namespace

void register_random_normal_1_plain(OpRegistry& registry) {
  registry.add<RandomNormalArgs>(
      {"plain", kDevice, [](const RandomNormalArgs& args) { return all_f32(args.y); }, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
