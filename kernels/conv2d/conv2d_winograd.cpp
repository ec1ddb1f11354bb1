// 3x3 convolutions of stride 1 by Winograd's F(4x4, 3x3), forward and for the gradient of the input
// (the same convolution, of dy with the filters turned by 180 degrees and their channels
// exchanged): see winograd.cpp. For ErrorBudget::relaxed.
#include "kernels/conv2d/packed_weights.h"
#include "kernels/conv2d/winograd.h"

namespace topograd {

namespace {

// Their addresses tell the two packed forms of one w apart.
constexpr char kForwardLayout = 'f', kBackwardLayout = 'b';

struct Call {
  Tensor y, x, w, bias;
  bool backward, accumulate;
  uint64_t weights_version;
};

void run(const Call& call, Context& context) {
  const WinogradShape shape{.N = call.x.dim(0),
                            .H = call.x.dim(1),
                            .W = call.x.dim(2),
                            .C = call.x.dim(3),
                            .K = call.y.dim(3)};
  const int64_t u_size = shape.filters_size(), floats = u_size + shape.scratch_size();
  float* scratch =
      static_cast<float*>(context.workspace(floats * static_cast<int64_t>(sizeof(float))));
  const auto pack = [&](void* packed) {
    const auto pack_filters = call.backward ? winograd_pack_backward : winograd_pack_forward;
    pack_filters(static_cast<float*>(packed), call.w.data<float>(), call.w.dim(0), call.w.dim(3));
  };
  const void* u = context.state<PackedWeights>().get(
      call.backward ? &kBackwardLayout : &kForwardLayout, call.w, call.weights_version,
      u_size * static_cast<int64_t>(sizeof(float)), scratch, pack);
  float* y = call.y.data<float>();
  winograd_convolve(y, call.x.data<float>(), static_cast<const float*>(u),
                    {.bias = call.bias.defined() ? call.bias.data<float>() : nullptr,
                     .residual = call.accumulate ? y : nullptr},
                    shape, scratch + u_size);
}

bool supports(const Tensor& x, const Tensor& w, const ConvGeometry& geometry,
              ErrorBudget error_budget) {
  return error_budget == ErrorBudget::relaxed && winograd_fits(x, w, geometry);
}

}  // namespace

void register_conv2d_winograd(OpRegistry& registry) {
  registry.add<Conv2dForwardArgs>(
      {"winograd", Device::cpu,
       [](const Conv2dForwardArgs& a) { return supports(a.x, a.w, a.geometry, a.error_budget); },
       [](const Conv2dForwardArgs& a, Context& context) {
         run({a.y, a.x, a.w, a.bias, false, a.write == Write::accumulate, a.weights_version},
             context);
       }});
  registry.add<Conv2dBackwardDataArgs>(
      {"winograd", Device::cpu,
       [](const Conv2dBackwardDataArgs& a) {
         return supports(a.dx, a.w, a.geometry, a.error_budget);
       },
       [](const Conv2dBackwardDataArgs& a, Context& context) {
         run({a.dx, a.dy, a.w, Tensor(), true, a.write == Write::accumulate, a.weights_version},
             context);
       }});
}

}  // namespace topograd
