// y = y + a x, formed in double and rounded once.
//
// Thread i owns elements i, i + step, i + 2 step, ...: neighbouring threads touch neighbouring
// floats, so a warp's load is one 128-byte line.
// Traffic: 12 bytes per element (two reads, a write). Work: 2 FLOP in double. Memory bounds it.
//
// __dmul_rn and __dadd_rn keep the compiler from fusing the product with the sum: the bits are
// those of every other implementation.
#include "kernels/core/launch.h"
#include "kernels/vector/vector.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;

/// Kernel over the elements; y may be x.
__global__ void __launch_bounds__(kThreads)
    axpy_kernel(float* y, const float* x, double a, int64_t n) {
  // This thread owns elements first_element(), first_element() + element_step(), ...
  for (int64_t i = first_element(); i < n; i += element_step())
    y[i] = static_cast<float>(__dadd_rn(y[i], __dmul_rn(a, x[i])));
}

void run(const AxpyArgs& args, Context& context) {
  const int64_t n = args.y.size();
  launch(axpy_kernel, grid_for(n, kThreads), dim3(kThreads), 0, context, pointer<float>(args.y),
         pointer<float>(args.x), args.a, n);
}

}  // namespace

void register_axpy_1_stream(OpRegistry& registry) {
  registry.add<AxpyArgs>(
      {"stream", kDevice, [](const AxpyArgs& args) { return all_f32(args.y); }, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
