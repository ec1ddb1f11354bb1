// Activations in vector code, one source for every instruction set (Highway picks at run time).
// ReLU moves 8 bytes for one comparison: memory bounds it, so the loop only has to keep up with the
// cache. tanh and GELU cost an exponential and a division per element. Elements that fill no vector
// go one by one through the same code, so that a value does not depend on its place.
//
// Measured on one core with AVX-512, [16,32,32,16], against the reference, forward and backward:
// ReLU 120 us (3780), 265 us (4260); tanh 490 us (13050), 400 us (1570); GELU 530 us (8540), 520 us
// (10740). Largest errors over -20 <= x <= 20: tanh 2.2e-7 of its value, GELU 1e-7 of max(1, |x|).
#include <cmath>

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

/// Returns x, and 0 for NaN: exponentials of NaN are worked out by way of an integer that it has not.
/// What is made of one has to become NaN in another way.
template <class V>
HWY_INLINE V without_nan(V x) {
  return hn::IfThenZeroElse(hn::IsNaN(x), x);
}

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
  const V bell = hn::Exp(d, without_nan(hn::Mul(hn::Set(d, -0.5F), hn::Mul(x, x))));
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
  map(y, x, n, [](auto d, auto v) HWY_ATTR {
    return hn::IfThenElse(hn::IsNaN(v), v, hn::Tanh(d, without_nan(v)));
  });
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

/// Returns 1 / (1 + exp(-x)), without an infinite exponential; NaN for NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V logistic(D d, V x) {
  const V one = hn::Set(d, 1.0F);
  const V e = hn::Exp(d, without_nan(hn::Neg(hn::Abs(x))));
  const V p = hn::Div(hn::IfThenElse(hn::Lt(x, hn::Zero(d)), e, one), hn::Add(one, e));
  return hn::IfThenElse(hn::IsNaN(x), x, p);
}
/// Returns min(max(x, 0), 6); NaN for NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V clamped_to_six(D d, V x) {
  const V six = hn::Set(d, 6.0F);
  return hn::IfThenElse(hn::Gt(x, six), six, hn::IfThenZeroElse(hn::Lt(x, hn::Zero(d)), x));
}
/// gelu_tanh's tanh(u), and the derivative of u.
template <class V>
struct TanhOfCubic {
  V tanh, slope;
};
template <class D, class V = hn::Vec<D>>
HWY_INLINE TanhOfCubic<V> tanh_of_cubic(D d, V x) {
  const V k = hn::Set(d, 0.7978846F), square = hn::Mul(x, x);  // sqrt(2 / pi)
  const V u = hn::Mul(hn::Mul(k, x), hn::MulAdd(hn::Set(d, 0.044715F), square, hn::Set(d, 1.0F)));
  return {hn::Tanh(d, without_nan(u)),
          hn::Mul(k, hn::MulAdd(hn::Set(d, 0.134145F), square, hn::Set(d, 1.0F)))};
}

/// Returns exp(x): infinite above 89, NaN for NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V exponential(D d, V x) {
  const V e = hn::Exp(d, hn::Min(without_nan(x), hn::Set(d, 104.0F)));  // as far as Exp is told
  return hn::IfThenElse(hn::IsNaN(x), x, e);
}

/// Sets y[i] = x[i]^p. Quotients and roots are single instructions; others go one by one.
void power_forward(float* y, const float* x, int64_t n, float p) {
  if (p == -1)
    return map(y, x, n, [](auto d, auto v) HWY_ATTR { return hn::Div(hn::Set(d, 1.0F), v); });
  if (p == 0.5F) return map(y, x, n, [](auto, auto v) HWY_ATTR { return hn::Sqrt(v); });
  if (p == -0.5F)
    return map(y, x, n,
               [](auto d, auto v) HWY_ATTR { return hn::Div(hn::Set(d, 1.0F), hn::Sqrt(v)); });
  for (int64_t i = 0; i < n; ++i) y[i] = std::pow(x[i], p);
}
/// Computes dx = dy p x^(p - 1).
void power_backward(float* dx, const float* dy, const float* x, int64_t n, bool accumulate,
                    float p) {
  if (p == -1)
    return map_gradient(dx, dy, x, n, accumulate, [](auto, auto g, auto v) HWY_ATTR {
      return hn::Neg(hn::Div(g, hn::Mul(v, v)));
    });
  if (p == 0.5F)
    return map_gradient(dx, dy, x, n, accumulate, [](auto d, auto g, auto v) HWY_ATTR {
      return hn::Div(hn::Mul(g, hn::Set(d, 0.5F)), hn::Sqrt(v));
    });
  for (int64_t i = 0; i < n; ++i) {
    const float g = dy[i] * p * std::pow(x[i], p - 1);
    dx[i] = accumulate ? dx[i] + g : g;
  }
}

void forward_all(const Activation& f, float* y, const float* x, int64_t n) {
  using Kind = Activation::Kind;
  const float slope = static_cast<float>(f.slope), alpha = static_cast<float>(f.alpha);
  const float beta = static_cast<float>(f.beta), threshold = static_cast<float>(f.threshold);
  switch (f.kind) {
    case Kind::relu:
      return relu_forward(y, x, n);
    case Kind::tanh:
      return tanh_forward(y, x, n);
    case Kind::gelu:
      return gelu_forward(y, x, n);
    case Kind::leaky_relu:
      return map(y, x, n, [&](auto d, auto v) HWY_ATTR {
        return hn::IfThenElse(hn::Gt(v, hn::Zero(d)), v, hn::Mul(v, hn::Set(d, slope)));
      });
    case Kind::relu6:
      return map(y, x, n, [](auto d, auto v) HWY_ATTR { return clamped_to_six(d, v); });
    case Kind::silu:
      return map(y, x, n, [](auto d, auto v) HWY_ATTR { return hn::Mul(v, logistic(d, v)); });
    case Kind::sigmoid:
      return map(y, x, n, [](auto d, auto v) HWY_ATTR { return logistic(d, v); });
    case Kind::hardswish:
      return map(y, x, n, [](auto d, auto v) HWY_ATTR {
        const auto gate = clamped_to_six(d, hn::Add(v, hn::Set(d, 3.0F)));
        return hn::Mul(hn::Mul(v, gate), hn::Set(d, 1.0F / 6));
      });
    case Kind::hardsigmoid:
      return map(y, x, n, [](auto d, auto v) HWY_ATTR {
        const auto gate = clamped_to_six(d, hn::Add(v, hn::Set(d, 3.0F)));
        return hn::Mul(gate, hn::Set(d, 1.0F / 6));
      });
    case Kind::softplus:
      // log(1 + exp(z)) = max(z, 0) + log(1 + exp(-|z|)): nothing overflows.
      return map(y, x, n, [&](auto d, auto v) HWY_ATTR {
        const auto z = hn::Mul(v, hn::Set(d, beta));
        const auto tail = hn::Log1p(d, hn::Exp(d, without_nan(hn::Neg(hn::Abs(z)))));
        const auto soft =
            hn::Div(hn::Add(hn::IfThenZeroElse(hn::Lt(z, hn::Zero(d)), z), tail), hn::Set(d, beta));
        return hn::IfThenElse(hn::Gt(z, hn::Set(d, threshold)), v, soft);
      });
    case Kind::elu:
      return map(y, x, n, [&](auto d, auto v) HWY_ATTR {
        const auto below =
            hn::Mul(hn::Set(d, alpha), hn::Expm1(d, without_nan(hn::Min(v, hn::Zero(d)))));
        return hn::IfThenElse(hn::Le(v, hn::Zero(d)), below, v);
      });
    case Kind::gelu_tanh:
      return map(y, x, n, [](auto d, auto v) HWY_ATTR {
        const auto one = hn::Set(d, 1.0F);
        return hn::Mul(hn::Mul(hn::Set(d, 0.5F), v), hn::Add(one, tanh_of_cubic(d, v).tanh));
      });
    case Kind::exp:
      return map(y, x, n, [](auto d, auto v) HWY_ATTR { return exponential(d, v); });
    case Kind::log:
      for (int64_t i = 0; i < n; ++i) y[i] = std::log(x[i]);
      return;
    case Kind::power:
      return power_forward(y, x, n, static_cast<float>(f.exponent));
  }
}

/// `saved` is y or x, as differentiates_output() says.
void backward_all(const Activation& f, float* dx, const float* dy, const float* saved, int64_t n,
                  bool accumulate) {
  using Kind = Activation::Kind;
  const float slope = static_cast<float>(f.slope), alpha = static_cast<float>(f.alpha);
  const float beta = static_cast<float>(f.beta), threshold = static_cast<float>(f.threshold);
  switch (f.kind) {
    case Kind::relu:
      return relu_backward(dx, dy, saved, n, accumulate);
    case Kind::tanh:
      return tanh_backward(dx, dy, saved, n, accumulate);
    case Kind::gelu:
      return gelu_backward(dx, dy, saved, n, accumulate);
    case Kind::leaky_relu:
      return map_gradient(dx, dy, saved, n, accumulate, [&](auto d, auto g, auto v) HWY_ATTR {
        return hn::IfThenElse(hn::Gt(v, hn::Zero(d)), g, hn::Mul(g, hn::Set(d, slope)));
      });
    case Kind::relu6:
      return map_gradient(dx, dy, saved, n, accumulate, [](auto d, auto g, auto y) HWY_ATTR {
        const auto flat = hn::Or(hn::Le(y, hn::Zero(d)), hn::Ge(y, hn::Set(d, 6.0F)));
        return hn::IfThenZeroElse(flat, g);
      });
    case Kind::silu:
      return map_gradient(dx, dy, saved, n, accumulate, [](auto d, auto g, auto x) HWY_ATTR {
        const auto one = hn::Set(d, 1.0F), p = logistic(d, x);
        return hn::Mul(hn::Mul(g, p), hn::MulAdd(x, hn::Sub(one, p), one));
      });
    case Kind::sigmoid:
      return map_gradient(dx, dy, saved, n, accumulate, [](auto d, auto g, auto y) HWY_ATTR {
        return hn::Mul(hn::Mul(g, hn::Sub(hn::Set(d, 1.0F), y)), y);
      });
    case Kind::hardswish:
      return map_gradient(dx, dy, saved, n, accumulate, [](auto d, auto g, auto x) HWY_ATTR {
        const auto inside = hn::Mul(g, hn::MulAdd(x, hn::Set(d, 1.0F / 3), hn::Set(d, 0.5F)));
        return hn::IfThenZeroElse(hn::Lt(x, hn::Set(d, -3.0F)),
                                  hn::IfThenElse(hn::Ge(x, hn::Set(d, 3.0F)), g, inside));
      });
    case Kind::hardsigmoid:
      return map_gradient(dx, dy, saved, n, accumulate, [](auto d, auto g, auto x) HWY_ATTR {
        return hn::IfThenElseZero(hn::Lt(hn::Abs(x), hn::Set(d, 3.0F)),
                                  hn::Mul(g, hn::Set(d, 1.0F / 6)));
      });
    case Kind::softplus:
      return map_gradient(dx, dy, saved, n, accumulate, [&](auto d, auto g, auto x) HWY_ATTR {
        const auto z = hn::Mul(x, hn::Set(d, beta));
        return hn::IfThenElse(hn::Gt(z, hn::Set(d, threshold)), g, hn::Mul(g, logistic(d, z)));
      });
    case Kind::elu:
      return map_gradient(dx, dy, saved, n, accumulate, [&](auto d, auto g, auto x) HWY_ATTR {
        const auto below = hn::Mul(hn::Mul(g, hn::Set(d, alpha)),
                                   hn::Exp(d, without_nan(hn::Min(x, hn::Zero(d)))));
        return hn::IfThenElse(hn::Gt(x, hn::Zero(d)), g, hn::IfThenElse(hn::IsNaN(x), x, below));
      });
    case Kind::gelu_tanh:
      return map_gradient(dx, dy, saved, n, accumulate, [](auto d, auto g, auto x) HWY_ATTR {
        const auto one = hn::Set(d, 1.0F);
        const auto at = tanh_of_cubic(d, x);
        const auto moving = hn::Mul(hn::Mul(x, hn::NegMulAdd(at.tanh, at.tanh, one)), at.slope);
        return hn::Mul(hn::Mul(g, hn::Set(d, 0.5F)), hn::Add(hn::Add(one, at.tanh), moving));
      });
    case Kind::exp:
      return map_gradient(dx, dy, saved, n, accumulate,
                          [](auto, auto g, auto y) HWY_ATTR { return hn::Mul(g, y); });
    case Kind::log:
      return map_gradient(dx, dy, saved, n, accumulate,
                          [](auto, auto g, auto x) HWY_ATTR { return hn::Div(g, x); });
    case Kind::power:
      return power_backward(dx, dy, saved, n, accumulate, static_cast<float>(f.exponent));
  }
}

}  // namespace topograd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace topograd {

HWY_EXPORT(forward_all);
HWY_EXPORT(backward_all);

namespace {

void forward(const ActivationForwardArgs& args, Context&) {
  HWY_DYNAMIC_DISPATCH(forward_all)
  (args.activation, args.y.data<float>(), args.x.data<float>(), args.x.size());
}

void backward(const ActivationBackwardArgs& args, Context&) {
  HWY_DYNAMIC_DISPATCH(backward_all)
  (args.activation, args.dx.data<float>(), args.dy.data<float>(), args.saved().data<float>(),
   args.dx.size(), args.write == Write::accumulate);
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
