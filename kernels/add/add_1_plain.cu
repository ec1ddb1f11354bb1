// y = a + b and y[..., c] += bias[c], one thread per element of a grid-stride loop.
//
// Thread i owns elements i, i + step, i + 2 step, ...: a warp's access is one 128-byte line. The
// bias's few elements stay in the L1 cache.
// Traffic: add 12 bytes per element, add_bias 8. Work: one FLOP. Memory bounds add. add_bias
// divides at every element, for i % C, which costs 25 instructions and more: as much as its memory
// traffic.
//
// No __restrict__: y may be a or b.
#include "kernels/add/add.h"
#include "kernels/core/launch.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;

__global__ void __launch_bounds__(kThreads)
    add_kernel(float* y, const float* a, const float* b, int64_t n) {
  for (int64_t i = first_element(); i < n; i += element_step()) y[i] = a[i] + b[i];
}

__global__ void __launch_bounds__(kThreads)
    add_bias_kernel(float* y, const float* bias, int64_t n, int64_t C) {
  for (int64_t i = first_element(); i < n; i += element_step()) y[i] += bias[i % C];
}

void run_add(const AddArgs& args, Context& context) {
  const int64_t n = args.y.size();
  launch(add_kernel, grid_for(n, kThreads), dim3(kThreads), 0, context, pointer<float>(args.y),
         pointer<float>(args.a), pointer<float>(args.b), n);
}

void run_add_bias(const AddBiasArgs& args, Context& context) {
  const int64_t n = args.y.size();
  launch(add_bias_kernel, grid_for(n, kThreads), dim3(kThreads), 0, context, pointer<float>(args.y),
         pointer<float>(args.bias), n, args.bias.size());
}

}  // namespace

void register_add_1_plain(OpRegistry& registry) {
  registry.add<AddArgs>(
      {"plain", kDevice, [](const AddArgs& args) { return all_f32(args.y); }, run_add});
  registry.add<AddBiasArgs>(
      {"plain", kDevice, [](const AddBiasArgs& args) { return all_f32(args.y); }, run_add_bias});
}

}  // namespace topograd::TOPOGRAD_BACKEND
