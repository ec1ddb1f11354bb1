// Activations in vector code, one source for every instruction set (Highway picks at run time).
// ReLU moves 8 bytes for one comparison: memory bounds it, so the loop only has to keep up with the
// cache. tanh and GELU cost an exponential and a division per element. Elements that fill no vector
// are copied into one, so that a value does not depend on its place.
//
// Measured on one core with AVX-512, [16,32,32,16], against the reference, forward and backward:
// ReLU 120 us (3780), 265 us (4260); tanh 490 us (13050), 400 us (1570); GELU 530 us (8540), 520 us
// (10740). Largest errors over -20 <= x <= 20: tanh 2.2e-7 of its value, GELU 1e-7 of max(1, |x|).
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

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

/// Returns x, and 0 for NaN: exponentials of NaN are worked out by way of an integer that it has
/// not. What is made of one has to become NaN in another way.
template <class V>
HWY_INLINE V without_nan(V x) {
  return hn::IfThenZeroElse(hn::IsNaN(x), x);
}

/// Returns exp(x) for x <= 0, to a unit in the last place, and 0 below exp(least); NaN gives 1.
/// Half the instructions of one for all x: x = q log 2 + r, exp(r) by the polynomial of the Cephes
/// library (Moshier), and q is added to the exponent's bits. Numbers that are less than any normal
/// one take the processor a hundred times as long as others: with them SiLU of numbers up to 110
/// was 14 times as slow, and so was that of numbers around 1e-20, whose squares stand in a
/// polynomial.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V exp_below_zero(D d, V x, float least = -87) {
  const hn::RebindToSigned<D> ints;
  const V lowest = hn::Set(d, least);
  const V v = hn::Max(hn::IfThenElseZero(hn::Lt(x, hn::Set(d, -1e-9F)), x), lowest);
  // So large a number has no bits behind the point: q is rounded, and lies in the last bits.
  const V large = hn::Set(d, 12582912.0F);
  const V shifted = hn::MulAdd(v, hn::Set(d, 1.44269504F), large), q = hn::Sub(shifted, large);
  const V high = hn::NegMulAdd(q, hn::Set(d, 0.693359375F), v);  // log 2 in two parts
  const V r = hn::MulAdd(q, hn::Set(d, 2.12194440e-4F), high);
  V p = hn::MulAdd(r, hn::Set(d, 1.9875691500e-4F), hn::Set(d, 1.3981999507e-3F));
  p = hn::MulAdd(p, r, hn::Set(d, 8.3334519073e-3F));
  p = hn::MulAdd(p, r, hn::Set(d, 4.1665795894e-2F));
  p = hn::MulAdd(p, r, hn::Set(d, 1.6666665459e-1F));
  p = hn::MulAdd(p, r, hn::Set(d, 5.0000001201e-1F));
  p = hn::Add(hn::MulAdd(p, hn::Mul(r, r), r), hn::Set(d, 1.0F));
  const auto exponent = hn::ShiftLeft<23>(hn::BitCast(ints, shifted));
  const V e = hn::BitCast(d, hn::Add(hn::BitCast(ints, p), exponent));
  return hn::IfThenZeroElse(hn::Lt(x, lowest), e);
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
  // What the bell is multiplied by, some hundredths, is to be normal too.
  const V bell = exp_below_zero(d, hn::Mul(hn::Set(d, -0.5F), hn::Mul(x, x)), -82);
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

/// Calls work(to, from) for the vectors of `out` and of what it is made of, `in`; for the last few
/// elements with copies that fill vectors.
template <size_t kIn, class F>
HWY_INLINE void over_vectors(float* out, const std::array<const float*, kIn>& in, int64_t n,
                             F&& work) {
  const hn::ScalableTag<float> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    std::array<const float*, kIn> at = in;
    for (const float*& from : at) from += i;
    work(out + i, at);
  }
  if (i == n) return;
  HWY_ALIGN float last[kIn + 1][hn::MaxLanes(d)] = {};
  std::array<const float*, kIn> at;
  for (size_t k = 0; k < kIn; ++k) {
    std::copy_n(in[k] + i, n - i, last[k]);
    at[k] = last[k];
  }
  std::copy_n(out + i, n - i, last[kIn]);
  work(last[kIn], at);
  std::copy_n(last[kIn], n - i, out + i);
}

/// Sets y[i] = f(d, x[i]).
template <class F>
HWY_INLINE void map(float* y, const float* x, int64_t n, F&& f) {
  over_vectors<1>(y, {x}, n, [&](float* to, const auto& from) HWY_ATTR {
    const hn::ScalableTag<float> d;
    hn::StoreU(f(d, hn::LoadU(d, from[0])), d, to);
  });
}

/// Sets dx[i] = f(d, dy[i], saved[i]), or adds it.
template <class F>
HWY_INLINE void map_gradient(float* dx, const float* dy, const float* saved, int64_t n,
                             bool accumulate, F&& f) {
  over_vectors<2>(dx, {dy, saved}, n, [&](float* to, const auto& from) HWY_ATTR {
    const hn::ScalableTag<float> d;
    auto g = f(d, hn::LoadU(d, from[0]), hn::LoadU(d, from[1]));
    if (accumulate) g = hn::Add(g, hn::LoadU(d, to));
    hn::StoreU(g, d, to);
  });
}

/// Adds dy[i] f(d, saved[i]) tangent[i] to out[i].
template <class F>
HWY_INLINE void map_curvature(float* out, const float* dy, const float* saved, const float* tangent,
                              int64_t n, F&& f) {
  over_vectors<3>(out, {dy, saved, tangent}, n, [&](float* to, const auto& from) HWY_ATTR {
    const hn::ScalableTag<float> d;
    const auto slope = hn::Mul(hn::LoadU(d, from[0]), f(d, hn::LoadU(d, from[1])));
    hn::StoreU(hn::MulAdd(slope, hn::LoadU(d, from[2]), hn::LoadU(d, to)), d, to);
  });
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

/// Returns a / b, b in [1, 2]. AVX-512 divides 16 numbers in 16 cycles, which is as long as the
/// rest of a SiLU takes; there it is an approximate reciprocal of 14 bits and Newton's step, one or
/// two units in the last place from the quotient.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V small_quotient(D d, V a, V b) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  const V r = hn::ApproximateReciprocal(b);
  return hn::Mul(a, hn::MulAdd(r, hn::NegMulAdd(b, r, hn::Set(d, 1.0F)), r));
#else
  (void)d;
  return hn::Div(a, b);
#endif
}

/// Returns 1 / (1 + exp(-x)), without an infinite exponential; NaN for NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V logistic(D d, V x) {
  const V one = hn::Set(d, 1.0F);
  const V e = exp_below_zero(d, hn::Neg(hn::Abs(x)));
  const V p = small_quotient(d, hn::IfThenElse(hn::Lt(x, hn::Zero(d)), e, one), hn::Add(one, e));
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

/// Returns the natural logarithm: minus infinity at 0, NaN below.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V logarithm(D d, V x) {
  using T = hn::TFromD<D>;
  const V infinity = hn::Set(d, std::numeric_limits<T>::infinity());
  const auto has_one = hn::And(hn::Gt(x, hn::Zero(d)), hn::Lt(x, infinity));
  const V log = hn::Log(d, hn::IfThenElse(has_one, x, hn::Set(d, T(1))));
  const V below = hn::Set(d, std::numeric_limits<T>::quiet_NaN());
  const V without = hn::IfThenElse(hn::Eq(x, hn::Zero(d)), hn::Neg(infinity),
                                   hn::IfThenElse(hn::Lt(x, hn::Zero(d)), below, x));
  return hn::IfThenElse(has_one, log, without);
}

/// Returns x^(halves / 2), by products, a root and a quotient.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V power_of_halves(D d, V x, int halves) {
  const int count = halves < 0 ? -halves : halves;
  V power = count % 2 == 0 ? hn::Set(d, 1.0F) : hn::Sqrt(x);
  for (int k = 0; k < count / 2; ++k) power = hn::Mul(power, x);
  return halves < 0 ? hn::Div(hn::Set(d, 1.0F), power) : power;
}

/// Sets y[i] = x[i]^p, any p that is no whole number and |p| <= kMostPower, so that exp(p log x) is
/// a double; in double, where rounding p log x costs nothing of a float.
constexpr float kMostPower = 6;
void any_power(float* y, const float* x, int64_t n, float p) {
  const float infinity = std::numeric_limits<float>::infinity();
  const auto step = [&](auto d, int64_t i) HWY_ATTR {
    const hn::Rebind<float, decltype(d)> floats;
    const auto v = hn::LoadU(floats, x + i);
    const auto log = hn::Mul(hn::Set(d, static_cast<double>(p)), logarithm(d, hn::PromoteTo(d, v)));
    const auto finite = hn::Lt(hn::Abs(log), hn::Set(d, 700.0));  // neither 0, infinity nor NaN
    const auto power =
        hn::IfThenElse(finite, hn::Exp(d, hn::IfThenElse(finite, log, hn::Zero(d))), log);
    auto y_i = hn::DemoteTo(floats, power);
    // Some processors take what is too large for the largest float.
    y_i = hn::IfThenElse(hn::Ge(y_i, hn::Set(floats, std::numeric_limits<float>::max())),
                         hn::Set(floats, infinity), y_i);
    y_i =
        hn::IfThenElse(hn::Eq(v, hn::Zero(floats)), hn::Set(floats, p > 0 ? 0.0F : infinity), y_i);
    y_i = hn::IfThenElse(hn::Eq(v, hn::Set(floats, infinity)),
                         hn::Set(floats, p > 0 ? infinity : 0.0F), y_i);
    hn::StoreU(y_i, floats, y + i);
  };
  const hn::ScalableTag<double> d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) step(d, i);
  for (; i < n; ++i) step(hn::CappedTag<double, 1>(), i);
}

/// Calls with_powers(f) where x^p is a few products and roots, f(d, x) being x^p; else, for pieces
/// of x, others(i, count, powers), with x^p of elements i to i + count.
template <class WithPowers, class Others>
HWY_INLINE void with_power(const float* x, int64_t n, float p, const WithPowers& with_powers,
                           const Others& others) {
  const float halves = 2 * p;
  if (halves == std::round(halves) && std::abs(halves) <= 6) {
    const int whole = static_cast<int>(halves);
    return with_powers([whole](auto d, auto v) HWY_ATTR { return power_of_halves(d, v, whole); });
  }
  constexpr int64_t kPiece = 256;
  float powers[kPiece];
  for (int64_t i = 0; i < n; i += kPiece) {
    const int64_t count = std::min(kPiece, n - i);
    if (p != std::round(p) && std::abs(p) <= kMostPower)
      any_power(powers, x + i, count, p);
    else
      for (int64_t k = 0; k < count; ++k) powers[k] = std::pow(x[i + k], p);
    others(i, count, powers);
  }
}

/// Sets y[i] = x[i]^p.
void power_forward(float* y, const float* x, int64_t n, float p) {
  with_power(
      x, n, p, [&](auto f) HWY_ATTR { map(y, x, n, f); },
      [&](int64_t i, int64_t count, const float* powers) { std::copy_n(powers, count, y + i); });
}
/// Computes dx = dy p x^(p - 1).
void power_backward(float* dx, const float* dy, const float* x, int64_t n, bool accumulate,
                    float p) {
  const auto product = [p](auto d, auto g, auto power)
                           HWY_ATTR { return hn::Mul(hn::Mul(g, hn::Set(d, p)), power); };
  with_power(
      x, n, p - 1,
      [&](auto f) HWY_ATTR {
        map_gradient(dx, dy, x, n, accumulate,
                     [&](auto d, auto g, auto v) HWY_ATTR { return product(d, g, f(d, v)); });
      },
      [&](int64_t i, int64_t count, const float* powers)
          HWY_ATTR { map_gradient(dx + i, dy + i, powers, count, accumulate, product); });
}
/// Adds dy p (p - 1) x^(p - 2) tangent.
void power_curvature(float* out, const float* dy, const float* x, const float* tangent, int64_t n,
                     float p) {
  const float factor = p * (p - 1);
  with_power(
      x, n, p - 2,
      [&](auto f) HWY_ATTR {
        map_curvature(out, dy, x, tangent, n, [&](auto d, auto v) HWY_ATTR {
          return hn::Mul(hn::Set(d, factor), f(d, v));
        });
      },
      [&](int64_t i, int64_t count, const float* powers) HWY_ATTR {
        map_curvature(out + i, dy + i, powers, tangent + i, count,
                      [&](auto d, auto v) HWY_ATTR { return hn::Mul(hn::Set(d, factor), v); });
      });
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
        const auto tail = hn::Log1p(d, exp_below_zero(d, hn::Neg(hn::Abs(z))));
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
      return map(y, x, n, [](auto d, auto v) HWY_ATTR { return logarithm(d, v); });
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
        const auto below =
            hn::Mul(hn::Mul(g, hn::Set(d, alpha)), exp_below_zero(d, hn::Min(x, hn::Zero(d))));
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

/// Adds dy f''(x) tangent to out; `saved` is y or x, as differentiates_output() says.
void curvature_all(const Activation& f, float* out, const float* dy, const float* saved,
                   const float* tangent, int64_t n) {
  using Kind = Activation::Kind;
  const float alpha = static_cast<float>(f.alpha), beta = static_cast<float>(f.beta);
  const float threshold = static_cast<float>(f.threshold);
  const auto of = [&](auto second) HWY_ATTR { map_curvature(out, dy, saved, tangent, n, second); };
  switch (f.kind) {
    case Kind::relu:
    case Kind::leaky_relu:
    case Kind::relu6:
    case Kind::hardsigmoid:
      return;
    case Kind::tanh:
      return of([](auto d, auto y) HWY_ATTR { return hn::Mul(hn::Set(d, -2.0F), y); });
    case Kind::gelu:
      // The bell is exp(-x^2 / 2).
      return of([](auto d, auto x) HWY_ATTR {
        const auto square = hn::Mul(x, x);
        const auto bell = exp_below_zero(d, hn::Mul(hn::Set(d, -0.5F), square));
        const auto density = hn::Mul(hn::Set(d, 0.39894228F), bell);
        return hn::Mul(hn::Sub(hn::Set(d, 2.0F), square), density);
      });
    case Kind::silu:
      return of([](auto d, auto x) HWY_ATTR {
        const auto one = hn::Set(d, 1.0F), two = hn::Set(d, 2.0F), p = logistic(d, x);
        const auto bend = hn::MulAdd(x, hn::NegMulAdd(two, p, one), two);
        return hn::Mul(hn::Mul(p, hn::Sub(one, p)), bend);
      });
    case Kind::sigmoid:
      return of([](auto d, auto y)
                    HWY_ATTR { return hn::NegMulAdd(hn::Set(d, 2.0F), y, hn::Set(d, 1.0F)); });
    case Kind::hardswish:
      return of([](auto d, auto x) HWY_ATTR {
        const auto flat = hn::Or(hn::Lt(x, hn::Set(d, -3.0F)), hn::Ge(x, hn::Set(d, 3.0F)));
        return hn::IfThenZeroElse(flat, hn::Set(d, 1.0F / 3));
      });
    case Kind::softplus:
      return of([&](auto d, auto x) HWY_ATTR {
        const auto z = hn::Mul(x, hn::Set(d, beta)), p = logistic(d, z);
        const auto bend = hn::Mul(hn::Mul(hn::Set(d, beta), p), hn::Sub(hn::Set(d, 1.0F), p));
        return hn::IfThenZeroElse(hn::Gt(z, hn::Set(d, threshold)), bend);
      });
    case Kind::elu:
      return of([&](auto d, auto x) HWY_ATTR {
        const auto e = exp_below_zero(d, hn::Min(x, hn::Zero(d)));
        const auto below = hn::Mul(hn::Set(d, alpha), hn::IfThenElse(hn::IsNaN(x), x, e));
        return hn::IfThenZeroElse(hn::Gt(x, hn::Zero(d)), below);
      });
    case Kind::gelu_tanh:
      // 0.10703222 = 3 k c, with u = k (x + c x^3): half of x u'' is that times x^2.
      return of([](auto d, auto x) HWY_ATTR {
        const auto one = hn::Set(d, 1.0F);
        const auto at = tanh_of_cubic(d, x);
        const auto bend = hn::MulAdd(hn::Set(d, 0.10703222F), hn::Mul(x, x), at.slope);
        const auto turn = hn::Mul(hn::Mul(x, at.tanh), hn::Mul(at.slope, at.slope));
        return hn::Mul(hn::NegMulAdd(at.tanh, at.tanh, one), hn::Sub(bend, turn));
      });
    case Kind::exp:
      return of([](auto d, auto) HWY_ATTR { return hn::Set(d, 1.0F); });
    case Kind::log:
      return of([](auto d, auto x) HWY_ATTR { return hn::Div(hn::Set(d, -1.0F), hn::Mul(x, x)); });
    case Kind::power:
      return power_curvature(out, dy, saved, tangent, n, static_cast<float>(f.exponent));
  }
}

}  // namespace topograd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace topograd {

HWY_EXPORT(forward_all);
HWY_EXPORT(backward_all);
HWY_EXPORT(curvature_all);

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

void curvature(const ActivationCurvatureArgs& args, Context&) {
  HWY_DYNAMIC_DISPATCH(curvature_all)
  (args.activation, args.dx_tangent.data<float>(), args.dy.data<float>(), args.saved.data<float>(),
   args.saved_tangent.data<float>(), args.dx_tangent.size());
}

}  // namespace

void register_activation_highway(OpRegistry& registry) {
  registry.add<ActivationForwardArgs>(
      {"highway", Device::cpu,
       [](const ActivationForwardArgs& a) { return a.x.dtype() == DType::f32; }, forward});
  registry.add<ActivationBackwardArgs>(
      {"highway", Device::cpu,
       [](const ActivationBackwardArgs& a) { return a.dx.dtype() == DType::f32; }, backward});
  registry.add<ActivationCurvatureArgs>(
      {"highway", Device::cpu,
       [](const ActivationCurvatureArgs& a) { return a.dx_tangent.dtype() == DType::f32; },
       curvature});
}

}  // namespace topograd
#endif  // HWY_ONCE
