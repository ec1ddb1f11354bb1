// y = a + b and y[..., c] += bias[c], four elements per access.
//
// Thread i owns the groups of four i, i + step, i + 2 step, ... A warp's access is 512 consecutive
// bytes.
// Since rung 1: a quarter of the loop's instructions per element, four times as many bytes on their
// way per thread, and i % C by multiplication (see kernels/core/divisor.h). Where a pointer is no
// multiple of 16 bytes (a slice of a tensor), or where C is no multiple of 4, the elements go one
// by one; add takes the last n % 4 so in any case. Traffic: as in rung 1. Memory bounds both.
#include "kernels/add/add.h"
#include "kernels/core/divisor.h"
#include "kernels/core/float4.h"

namespace topograd::TOPOGRAD_BACKEND {

namespace {

constexpr int kThreads = 256;

__device__ float sum(float a, float b) {
  return a + b;
}
__device__ float4 sum(float4 a, float4 b) {
  return make_float4(a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w);
}

/// The first 4 * groups of the n elements go by fours.
__global__ void __launch_bounds__(kThreads)
    add_kernel(float* y, const float* a, const float* b, int64_t groups, int64_t n) {
  for (int64_t i = first_element(); i < groups; i += element_step())
    in_fours(y)[i] = sum(in_fours(a)[i], in_fours(b)[i]);
  for (int64_t i = 4 * groups + first_element(); i < n; i += element_step()) y[i] = a[i] + b[i];
}

/// n and C count what T is: floats, or groups of four.
template <class T>
__global__ void __launch_bounds__(kThreads)
    add_bias_kernel(T* y, const T* bias, int64_t n, Divisor C) {
  for (int64_t i = first_element(); i < n; i += element_step())
    y[i] = sum(y[i], bias[C.remainder(i)]);
}

void run_add(const AddArgs& args, Context& context) {
  float* y = pointer<float>(args.y);
  const float *a = pointer<float>(args.a), *b = pointer<float>(args.b);
  const int64_t n = args.y.size(), groups = groups_of_four(n, y, a, b);
  launch(add_kernel, grid_for(groups > 0 ? groups : n, kThreads), dim3(kThreads), 0, context, y, a,
         b, groups, n);
}

void run_add_bias(const AddBiasArgs& args, Context& context) {
  float* y = pointer<float>(args.y);
  const float* bias = pointer<float>(args.bias);
  const int64_t n = args.y.size(), C = args.bias.size(), groups = groups_of_four(n, y, bias);
  if (C % 4 == 0 && groups > 0)
    launch(add_bias_kernel<float4>, grid_for(groups, kThreads), dim3(kThreads), 0, context,
           in_fours(y), in_fours(bias), groups, Divisor(C / 4));
  else
    launch(add_bias_kernel<float>, grid_for(n, kThreads), dim3(kThreads), 0, context, y, bias, n,
           Divisor(C));
}

}  // namespace

void register_add_2_float4(OpRegistry& registry) {
  registry.add<AddArgs>(
      {"float4", kDevice, [](const AddArgs& args) { return all_f32(args.y); }, run_add});
  registry.add<AddBiasArgs>(
      {"float4", kDevice, [](const AddBiasArgs& args) { return all_f32(args.y); }, run_add_bias});
}

}  // namespace topograd::TOPOGRAD_BACKEND
