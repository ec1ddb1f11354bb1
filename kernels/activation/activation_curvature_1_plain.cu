// dx' += dy f''(x) x', one thread per element of a grid-stride loop: tanh -2 y y' dy, GELU
// (2 - x^2) exp(-x^2 / 2) / sqrt(2 pi) x' dy. ReLU has no curvature, and nothing is launched.
//
// Thread i owns elements i, i + step, ...: neighbouring threads touch neighbouring floats.
// Traffic: 20 bytes per element. Work: 4 FLOP for tanh, some 20 instructions for GELU. Memory
// bounds both (predicted).
#include "kernels/activation/activation.h"
#include "kernels/core/launch.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;

__global__ void __launch_bounds__(kThreads)
    curvature_kernel(float* __restrict__ dx_tangent, const float* __restrict__ dy,
                     const float* __restrict__ saved, const float* __restrict__ saved_tangent,
                     int64_t n, bool tanh) {
  for (int64_t i = first_element(); i < n; i += element_step()) {
    const float s = saved[i];
    const float density = 0.39894228f * expf(-0.5f * s * s);  // 1 / sqrt(2 pi)
    const float slope = tanh ? -2.0f * s : (2.0f - s * s) * density;
    dx_tangent[i] += dy[i] * slope * saved_tangent[i];
  }
}

void run(const ActivationCurvatureArgs& args, Context& context) {
  if (args.activation == Activation::relu) return;
  const int64_t n = args.dx_tangent.size();
  launch(curvature_kernel, grid_for(n, kThreads), dim3(kThreads), 0, context,
         pointer<float>(args.dx_tangent), pointer<float>(args.dy), pointer<float>(args.saved),
         pointer<float>(args.saved_tangent), n, args.activation == Activation::tanh);
}

}  // namespace

void register_activation_curvature_1_plain(OpRegistry& registry) {
  registry.add<ActivationCurvatureArgs>(
      {"plain", kDevice, [](const ActivationCurvatureArgs& args) { return all_f32(args.dy); },
       run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
