// Activations in vector code, one source for every instruction set (Highway picks at run time).
// ReLU moves 8 bytes for one comparison: memory bounds it, so the loop only has to keep up with the
// cache. tanh and GELU cost an exponential and a division per element. Elements that fill no vector
// go one by one through the same code, so that a value does not depend on its place.
//
// Measured on one core with AVX-512, [16,32,32,16], against the reference, forward and backward:
// ReLU 120 us (3780), 265 us (4260); tanh 490 us (13050), 400 us (1570); GELU 530 us (8540), 520 us
// (10740). Largest errors over -20 <= x <= 20: tanh 2.2e-7 of its value, GELU 1e-7 of max(1, |x|).
#include "kernels/activation/activation.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/activation/activation_highway.cpp"
#include <hwy/foreach_target.h>
// After foreach_target, as Highway requires.
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace topograd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Values exp(-x^2 / 2) and the normal distribution function Phi(x).
template <class V>
struct Normal {
  V bell;
  V cdf;
};

/// Computes Phi(-a) = exp(-a^2 / 2) t P(t) for a >= 0, t = 1 / (1 + 0.35 a): the form of C.
/// Hastings, "Approximations for Digital Computers", 1955 (Abramowitz & Stegun 7.1.26), whose five
/// terms reach 1e-7 of 1. These nine, the minimax fit by Remez' algorithm over 0 <= a <= 15, reach
/// 3.2e-8 of Phi itself, so that the tail of GELU keeps its digits down to where exp underflows.
template <class D, class V = hn::Vec<D>>
HWY_INLINE Normal<V> normal(D d, V x) {
  const V one = hn::Set(d, 1.0F);
  const V a = hn::Abs(x);
  const V bell = hn::Exp(d, hn::Mul(hn::Set(d, -0.5F), hn::Mul(x, x)));
  const V t = hn::Div(one, hn::MulAdd(hn::Set(d, 0.35F), a, one));
  V p = hn::Set(d, -0.029163778F);
  p = hn::MulAdd(p, t, hn::Set(d, 0.14406009F));
  p = hn::MulAdd(p, t, hn::Set(d, -0.25590043F));
  p = hn::MulAdd(p, t, hn::Set(d, 0.15939132F));
  p = hn::MulAdd(p, t, hn::Set(d, -0.023262779F));
  p = hn::MulAdd(p, t, hn::Set(d, 0.10557437F));
  p = hn::MulAdd(p, t, hn::Set(d, 0.11981560F));
  p = hn::MulAdd(p, t, hn::Set(d, 0.13986432F));
  p = hn::MulAdd(p, t, hn::Set(d, 0.13962126F));
  const V tail = hn::Mul(hn::Mul(bell, t), p);
  return {bell, hn::IfThenElse(hn::Gt(x, hn::Zero(d)), hn::Sub(one, tail), tail)};
}

/// Sets y[i] = f(d, x[i]).
template <class F>
HWY_INLINE void map(float* y, const float* x, int64_t n, F&& f) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> single;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) hn::StoreU(f(d, hn::LoadU(d, x + i)), d, y + i);
  for (; i < n; ++i) hn::StoreU(f(single, hn::LoadU(single, x + i)), single, y + i);
}

/// Sets dx[i] = f(d, dy[i], saved[i]), or adds it.
template <class F>
HWY_INLINE void map_gradient(float* dx, const float* dy, const float* saved, int64_t n,
                             bool accumulate, F&& f) {
  const hn::ScalableTag<float> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto step = [&](auto tag, int64_t i) HWY_ATTR {
    auto g = f(tag, hn::LoadU(tag, dy + i), hn::LoadU(tag, saved + i));
    if (accumulate) g = hn::Add(g, hn::LoadU(tag, dx + i));
    hn::StoreU(g, tag, dx + i);
  };
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) step(d, i);
  for (; i < n; ++i) step(hn::CappedTag<float, 1>(), i);
}

/// Computes ReLU: x < 0 selects zero, so that NaN stays NaN, as in the reference.
void relu_forward(float* y, const float* x, int64_t n) {
  map(y, x, n, [](auto d, auto v) HWY_ATTR {
    const auto zero = hn::Zero(d);
    return hn::IfThenZeroElse(hn::Lt(v, zero), v);
  });
}
void relu_backward(float* dx, const float* dy, const float* y, int64_t n, bool accumulate) {
  map_gradient(dx, dy, y, n, accumulate, [](auto d, auto g, auto v) HWY_ATTR {
    return hn::IfThenElseZero(hn::Gt(v, hn::Zero(d)), g);
  });
}

void tanh_forward(float* y, const float* x, int64_t n) {
  map(y, x, n, [](auto d, auto v) HWY_ATTR { return hn::Tanh(d, v); });
}
/// Computes dx = dy (1 - y^2).
void tanh_backward(float* dx, const float* dy, const float* y, int64_t n, bool accumulate) {
  map_gradient(dx, dy, y, n, accumulate, [](auto d, auto g, auto v) HWY_ATTR {
    return hn::Mul(g, hn::NegMulAdd(v, v, hn::Set(d, 1.0F)));
  });
}

void gelu_forward(float* y, const float* x, int64_t n) {
  map(y, x, n, [](auto d, auto v) HWY_ATTR { return hn::Mul(v, normal(d, v).cdf); });
}
/// Computes dx = dy (Phi(x) + x exp(-x^2 / 2) / sqrt(2 pi)).
void gelu_backward(float* dx, const float* dy, const float* x, int64_t n, bool accumulate) {
  map_gradient(dx, dy, x, n, accumulate, [](auto d, auto g, auto v) HWY_ATTR {
    const auto at = normal(d, v);
    const auto density = hn::Mul(hn::Set(d, 0.39894228F), at.bell);
    return hn::Mul(g, hn::MulAdd(v, density, at.cdf));
  });
}

}  // namespace topograd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace topograd {

HWY_EXPORT(relu_forward);
HWY_EXPORT(relu_backward);
HWY_EXPORT(tanh_forward);
HWY_EXPORT(tanh_backward);
HWY_EXPORT(gelu_forward);
HWY_EXPORT(gelu_backward);

namespace {

void forward(const ActivationForwardArgs& args, Context&) {
  float* y = args.y.data<float>();
  const float* x = args.x.data<float>();
  switch (args.activation) {
    case Activation::relu:
      return HWY_DYNAMIC_DISPATCH(relu_forward)(y, x, args.x.size());
    case Activation::tanh:
      return HWY_DYNAMIC_DISPATCH(tanh_forward)(y, x, args.x.size());
    case Activation::gelu:
      return HWY_DYNAMIC_DISPATCH(gelu_forward)(y, x, args.x.size());
  }
}

void backward(const ActivationBackwardArgs& args, Context&) {
  const bool accumulate = args.write == Write::accumulate;
  const int64_t n = args.dx.size();
  float* dx = args.dx.data<float>();
  const float* dy = args.dy.data<float>();
  const float* saved = (args.activation == Activation::gelu ? args.x : args.y).data<float>();
  switch (args.activation) {
    case Activation::relu:
      return HWY_DYNAMIC_DISPATCH(relu_backward)(dx, dy, saved, n, accumulate);
    case Activation::tanh:
      return HWY_DYNAMIC_DISPATCH(tanh_backward)(dx, dy, saved, n, accumulate);
    case Activation::gelu:
      return HWY_DYNAMIC_DISPATCH(gelu_backward)(dx, dy, saved, n, accumulate);
  }
}

}  // namespace

void register_activation_highway(OpRegistry& registry) {
  registry.add<ActivationForwardArgs>(
      {"highway", Device::cpu,
       [](const ActivationForwardArgs& a) { return a.x.dtype() == DType::f32; }, forward});
  registry.add<ActivationBackwardArgs>(
      {"highway", Device::cpu,
       [](const ActivationBackwardArgs& a) { return a.dx.dtype() == DType::f32; }, backward});
}

}  // namespace topograd
#endif  // HWY_ONCE
