// w = (theta + a delta) + b eta, one thread per element of a grid-stride loop.
//
// Thread i owns elements i, i + step, i + 2 step, ...: neighbouring threads touch neighbouring
// floats, so a warp's load is one 128-byte line.
// Traffic: 16 bytes per element (three reads, a write). Work: 4 FLOP in double and 4 conversions to
// and from it. Memory bounds it where double runs at half the speed of float (A100, H100, H200); on
// a GPU with one double unit for 64 of float, the work does.
//
// __dmul_rn and __dadd_rn keep the compiler from fusing a product with a sum: the bits are those of
// every other implementation.
#include "kernels/core/launch.h"
#include "kernels/perturb/perturb.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;

/// Kernel over the elements; delta or eta may be null: its term is then absent.
__global__ void __launch_bounds__(kThreads)
    perturb_kernel(float* w, const float* theta, const float* delta, const float* eta, double a,
                   double b, int64_t n) {
  // This thread owns elements first_element(), first_element() + element_step(), ...
  for (int64_t i = first_element(); i < n; i += element_step()) {
    double sum = theta[i];
    if (delta) sum = __dadd_rn(sum, __dmul_rn(a, delta[i]));
    if (eta) sum = __dadd_rn(sum, __dmul_rn(b, eta[i]));
    w[i] = static_cast<float>(sum);
  }
}

void run(const PerturbArgs& args, Context& context) {
  const int64_t n = args.w.size();
  launch(perturb_kernel, grid_for(n, kThreads), dim3(kThreads), 0, context, pointer<float>(args.w),
         pointer<float>(args.theta), pointer<float>(args.delta), pointer<float>(args.eta), args.a,
         args.b, n);
}

}  // namespace

void register_perturb_1_stream(OpRegistry& registry) {
  registry.add<PerturbArgs>(
      {"stream", kDevice, [](const PerturbArgs& args) { return all_f32(args.w); }, run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
