// dx' += dy f''(x) x', one thread per element of a grid-stride loop. f''(x) x' is the derivative of
// f' by what f' is taken from, times that one's tangent: tanh -2 y y', exp y', GELU
// (2 - x^2) exp(-x^2 / 2) / sqrt(2 pi) x'. What is linear piece by piece has no curvature, and
// nothing is launched.
//
// Thread i owns elements i, i + step, ...: neighbouring threads touch neighbouring floats.
// Traffic: 20 bytes per element. Work: 4 FLOP for tanh, some 20 instructions for GELU, some 40 for
// its form with a tanh. Memory bounds all (predicted).
#include "kernels/activation/activation_functions.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;

template <class Function>
__global__ void __launch_bounds__(kThreads)
    curvature_kernel(float* __restrict__ dx_tangent, const float* __restrict__ dy,
                     const float* __restrict__ saved, const float* __restrict__ saved_tangent,
                     int64_t n, Function function) {
  for (int64_t i = first_element(); i < n; i += element_step())
    dx_tangent[i] += dy[i] * function.curvature(saved[i]) * saved_tangent[i];
}

void run(const ActivationCurvatureArgs& args, Context& context) {
  const int64_t n = args.dx_tangent.size();
  with_functions(args.activation, [&](auto functions) {
    using Function = decltype(functions);
    if constexpr (requires { &Function::curvature; })
      launch(curvature_kernel<Function>, grid_for(n, kThreads), dim3(kThreads), 0, context,
             pointer<float>(args.dx_tangent), pointer<float>(args.dy), pointer<float>(args.saved),
             pointer<float>(args.saved_tangent), n, functions);
  });
}

}  // namespace

void register_activation_curvature_1_plain(OpRegistry& registry) {
  registry.add<ActivationCurvatureArgs>(
      {"plain", kDevice, [](const ActivationCurvatureArgs& args) { return all_f32(args.dy); },
       run});
}

}  // namespace topograd::TOPOGRAD_BACKEND
