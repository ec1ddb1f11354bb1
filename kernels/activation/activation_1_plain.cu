// y = f(x) and dx = dy f'(x), one thread per element of a grid-stride loop.
//
// Thread i owns elements i, i + step, i + 2 step, ...: neighbouring threads touch neighbouring
// floats, so a warp's load is one 128-byte line.
// A function's parameters are the kernel's argument.
// Traffic: 8 bytes per element forward, 12 backward, 16 where it adds. Work: a comparison for ReLU,
// some 30 instructions for tanh and for what has one exponential, some 75 for GELU. An H200's multiprocessor receives 2 to 3
// elements per clock (4.3 TB/s among 132, forward) and issues 128 instructions for one thread each,
// about 50 per element: memory bounds ReLU and tanh, GELU's arithmetic bounds GELU (predicted).
//
// No __restrict__: y may be x, and dx may be dy.
#include "kernels/activation/activation_functions.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;

template <class Function>
__global__ void __launch_bounds__(kThreads)
    forward_kernel(float* y, const float* x, int64_t n, Function function) {
  for (int64_t i = first_element(); i < n; i += element_step()) y[i] = function.value(x[i]);
}

template <class Function>
__global__ void __launch_bounds__(kThreads)
    backward_kernel(float* dx, const float* dy, const float* saved, int64_t n, bool accumulate,
                    Function function) {
  for (int64_t i = first_element(); i < n; i += element_step()) {
    const float gradient = function.gradient(dy[i], saved[i]);
    dx[i] = accumulate ? dx[i] + gradient : gradient;
  }
}

void forward(const ActivationForwardArgs& args, Context& context) {
  const int64_t n = args.y.size();
  with_functions(args.activation, [&](auto functions) {
    launch(forward_kernel<decltype(functions)>, grid_for(n, kThreads), dim3(kThreads), 0, context,
           pointer<float>(args.y), pointer<float>(args.x), n, functions);
  });
}

void backward(const ActivationBackwardArgs& args, Context& context) {
  const int64_t n = args.dx.size();
  with_functions(args.activation, [&](auto functions) {
    launch(backward_kernel<decltype(functions)>, grid_for(n, kThreads), dim3(kThreads), 0, context,
           pointer<float>(args.dx), pointer<float>(args.dy), pointer<float>(args.saved()), n,
           args.write == Write::accumulate, functions);
  });
}

}  // namespace

void register_activation_1_plain(OpRegistry& registry) {
  registry.add<ActivationForwardArgs>({"plain", kDevice, supports_forward, forward});
  registry.add<ActivationBackwardArgs>({"plain", kDevice, supports_backward, backward});
}

}  // namespace topograd::TOPOGRAD_BACKEND
