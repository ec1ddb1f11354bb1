// y = a y, formed in double and rounded once.
//
// Thread i owns elements i, i + step, ...: a warp's load is one 128-byte line.
// Traffic: 8 bytes per element, in place. Work: 1 FLOP in double. Memory bounds it.
#include "kernels/core/launch.h"
#include "kernels/vector/vector.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;

__global__ void __launch_bounds__(kThreads) scale_kernel(float* y, double a, int64_t n) {
  // This thread owns elements first_element(), first_element() + element_step(), ...
  for (int64_t i = first_element(); i < n; i += element_step()) y[i] = static_cast<float>(a * y[i]);
}

void run(const ScaleArgs& args, Context& context) {
  const int64_t n = args.y.size();
  launch(scale_kernel, grid_for(n, kThreads), dim3(kThreads), 0, context, pointer<float>(args.y),
         args.a, n);
}

}  // namespace

void register_scale_1_stream(OpRegistry& registry) {
  registry.add<ScaleArgs>(
      {"stream", kDevice, [](const ScaleArgs& args) { return all_f32(args.y); }, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
