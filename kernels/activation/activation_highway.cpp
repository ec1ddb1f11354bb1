// ReLU in vector code, one source for every instruction set (Highway picks at run time). It moves
// 8 bytes for one comparison: memory bounds it, so the loop only has to keep up with the cache.
// tanh and GELU stay with the reference: no network of the zoo spends 1 % of its time there.
#include "kernels/activation/activation.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/activation/activation_highway.cpp"
#include <hwy/foreach_target.h>
// After foreach_target, as Highway requires.
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace topograd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// y[i] = max(x[i], 0). x < 0 selects zero, so that NaN stays NaN, as in the reference.
void relu_forward(float* y, const float* x, int64_t n) {
  const hn::ScalableTag<float> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto zero = hn::Zero(d);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto v = hn::LoadU(d, x + i);
    hn::StoreU(hn::IfThenZeroElse(hn::Lt(v, zero), v), d, y + i);
  }
  for (; i < n; ++i) y[i] = x[i] < 0 ? 0 : x[i];
}

/// dx[i] = y[i] > 0 ? dy[i] : 0, replaced or added.
void relu_backward(float* dx, const float* dy, const float* y, int64_t n, bool accumulate) {
  const hn::ScalableTag<float> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto zero = hn::Zero(d);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    auto g = hn::IfThenElseZero(hn::Gt(hn::LoadU(d, y + i), zero), hn::LoadU(d, dy + i));
    if (accumulate) g = hn::Add(g, hn::LoadU(d, dx + i));
    hn::StoreU(g, d, dx + i);
  }
  for (; i < n; ++i) dx[i] = (y[i] > 0 ? dy[i] : 0) + (accumulate ? dx[i] : 0);
}

}  // namespace topograd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace topograd {

HWY_EXPORT(relu_forward);
HWY_EXPORT(relu_backward);

void register_activation_highway(OpRegistry& registry) {
  registry.add<ActivationForwardArgs>(
      {"highway", Device::cpu,
       [](const ActivationForwardArgs& a) {
         return a.activation == Activation::relu && a.x.dtype() == DType::f32;
       },
       [](const ActivationForwardArgs& a, Context&) {
         HWY_DYNAMIC_DISPATCH(relu_forward)(a.y.data<float>(), a.x.data<float>(), a.x.size());
       }});
  registry.add<ActivationBackwardArgs>(
      {"highway", Device::cpu,
       [](const ActivationBackwardArgs& a) {
         return a.activation == Activation::relu && a.dx.dtype() == DType::f32;
       },
       [](const ActivationBackwardArgs& a, Context&) {
         HWY_DYNAMIC_DISPATCH(relu_backward)(a.dx.data<float>(), a.dy.data<float>(),
                                             a.y.data<float>(), a.dx.size(),
                                             a.write == Write::accumulate);
       }});
}

}  // namespace topograd
#endif  // HWY_ONCE
