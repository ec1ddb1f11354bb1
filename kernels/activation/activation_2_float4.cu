// y = f(x) and dx = dy f'(x), four elements per access.
//
// Thread i owns the groups of four i, i + step, ..., and of the elements that are left the ones at
// i, i + step, ... behind the last group. A warp's load is 512 consecutive bytes.
// Since rung 1: a quarter of the loop's additions, comparisons and branches, and four times as many
// bytes under way per thread, which hides the memory's latency with fewer threads. The functions
// cost what they cost. Where a pointer is no multiple of 16 bytes (a slice of a tensor), all
// elements are left over, and this is rung 1.
// Traffic and bound: as in rung 1.
#include "kernels/activation/activation_functions.h"
#include "kernels/core/float4.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;

/// The first 4 * groups of the n elements go by fours.
template <class Function>
__global__ void __launch_bounds__(kThreads)
    forward_kernel(float* y, const float* x, int64_t groups, int64_t n, Function function) {
  for (int64_t i = first_element(); i < groups; i += element_step()) {
    const float4 v = in_fours(x)[i];
    in_fours(y)[i] = make_float4(function.value(v.x), function.value(v.y), function.value(v.z),
                                 function.value(v.w));
  }
  for (int64_t i = 4 * groups + first_element(); i < n; i += element_step())
    y[i] = function.value(x[i]);
}

template <class Function>
__global__ void __launch_bounds__(kThreads)
    backward_kernel(float* dx, const float* dy, const float* saved, int64_t groups, int64_t n,
                    bool accumulate, Function function) {
  for (int64_t i = first_element(); i < groups; i += element_step()) {
    const float4 g = in_fours(dy)[i], s = in_fours(saved)[i];
    float4 r = make_float4(function.gradient(g.x, s.x), function.gradient(g.y, s.y),
                           function.gradient(g.z, s.z), function.gradient(g.w, s.w));
    if (accumulate) {
      const float4 old = in_fours(dx)[i];
      r = make_float4(old.x + r.x, old.y + r.y, old.z + r.z, old.w + r.w);
    }
    in_fours(dx)[i] = r;
  }
  for (int64_t i = 4 * groups + first_element(); i < n; i += element_step()) {
    const float gradient = function.gradient(dy[i], saved[i]);
    dx[i] = accumulate ? dx[i] + gradient : gradient;
  }
}

void forward(const ActivationForwardArgs& args, Context& context) {
  float* y = pointer<float>(args.y);
  const float* x = pointer<float>(args.x);
  const int64_t n = args.y.size(), groups = groups_of_four(n, y, x);
  with_functions(args.activation, [&](auto functions) {
    launch(forward_kernel<decltype(functions)>, grid_for(groups > 0 ? groups : n, kThreads),
           dim3(kThreads), 0, context, y, x, groups, n, functions);
  });
}

void backward(const ActivationBackwardArgs& args, Context& context) {
  float* dx = pointer<float>(args.dx);
  const float* dy = pointer<float>(args.dy);
  const int64_t n = args.dx.size(),
                groups = groups_of_four(n, dx, dy, pointer<float>(args.saved()));
  with_functions(args.activation, [&](auto functions) {
    launch(backward_kernel<decltype(functions)>, grid_for(groups > 0 ? groups : n, kThreads),
           dim3(kThreads), 0, context, dx, dy, pointer<float>(args.saved()), groups, n,
           args.write == Write::accumulate, functions);
  });
}

}  // namespace

void register_activation_2_float4(OpRegistry& registry) {
  registry.add<ActivationForwardArgs>({"float4", kDevice, supports_forward, forward});
  registry.add<ActivationBackwardArgs>({"float4", kDevice, supports_backward, backward});
}

}  // namespace topograd::TOPOGRAD_BACKEND
