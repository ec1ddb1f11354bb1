// The formulas, element by element: the oracle.
#include <cmath>
#include <numbers>

#include "kernels/activation/activation.h"

namespace topograd {

namespace {

template <class T>
T logistic(T x) {
  return 1 / (1 + std::exp(-x));
}

/// gelu_tanh's u = sqrt(2 / pi) (x + 0.044715 x^3), and its derivatives.
template <class T>
struct TanhArgument {
  static constexpr T k = std::numbers::sqrt2_v<T> * std::numbers::inv_sqrtpi_v<T>;
  static constexpr T c = T(0.044715);
  static T value(T x) { return k * (x + c * x * x * x); }
  static T slope(T x) { return k * (1 + 3 * c * x * x); }
  static T curvature(T x) { return 6 * k * c * x; }
};

template <class T>
T value(const Activation& f, T x) {
  using Kind = Activation::Kind;
  switch (f.kind) {
    case Kind::relu:
      return x < 0 ? T(0) : x;
    case Kind::tanh:
      return std::tanh(x);
    case Kind::gelu:
      return x * T(0.5) * std::erfc(-x / std::numbers::sqrt2_v<T>);
    case Kind::leaky_relu:
      return x > 0 ? x : x * static_cast<T>(f.slope);
    case Kind::relu6:
      return x < 0 ? T(0) : x > 6 ? T(6) : x;
    case Kind::silu:
      return x * logistic(x);
    case Kind::sigmoid:
      return logistic(x);
    case Kind::hardswish:
      return x * value(Activation::relu6, x + 3) / 6;
    case Kind::hardsigmoid:
      return value(Activation::relu6, x + 3) / 6;
    case Kind::softplus: {
      const T beta = static_cast<T>(f.beta);
      return x * beta > static_cast<T>(f.threshold) ? x : std::log1p(std::exp(x * beta)) / beta;
    }
    case Kind::elu:
      return x > 0 ? x : static_cast<T>(f.alpha) * std::expm1(x);
    case Kind::gelu_tanh:
      return T(0.5) * x * (1 + std::tanh(TanhArgument<T>::value(x)));
    case Kind::exp:
      return std::exp(x);
    case Kind::log:
      return std::log(x);
    case Kind::power:
      return std::pow(x, static_cast<T>(f.exponent));
  }
  return x;
}

/// Returns dy f', which is a function of `s`, the saved one of y and x.
template <class T>
T gradient(const Activation& f, T dy, T s) {
  using Kind = Activation::Kind;
  switch (f.kind) {
    case Kind::relu:
      return s > 0 ? dy : T(0);
    case Kind::tanh:
      return dy * (1 - s * s);
    case Kind::gelu: {
      const T cdf = T(0.5) * std::erfc(-s / std::numbers::sqrt2_v<T>);
      const T density =
          std::exp(T(-0.5) * s * s) * std::numbers::inv_sqrtpi_v<T> / std::numbers::sqrt2_v<T>;
      return dy * (cdf + s * density);
    }
    case Kind::leaky_relu:
      return s > 0 ? dy : dy * static_cast<T>(f.slope);
    case Kind::relu6:
      return s <= 0 || s >= 6 ? T(0) : dy;
    case Kind::silu: {
      const T p = logistic(s);
      return dy * p * (1 + s * (1 - p));
    }
    case Kind::sigmoid:
      return dy * (1 - s) * s;
    case Kind::hardswish:
      return s < -3 ? T(0) : s < 3 ? dy * (s / 3 + T(0.5)) : dy;
    case Kind::hardsigmoid:
      return s > -3 && s < 3 ? dy / 6 : T(0);
    case Kind::softplus: {
      const T beta = static_cast<T>(f.beta);
      return s * beta > static_cast<T>(f.threshold) ? dy : dy * logistic(s * beta);
    }
    case Kind::elu:
      return s > 0 ? dy : dy * static_cast<T>(f.alpha) * std::exp(s);
    case Kind::gelu_tanh: {
      using U = TanhArgument<T>;
      const T t = std::tanh(U::value(s));
      return dy * T(0.5) * (1 + t + s * (1 - t * t) * U::slope(s));
    }
    case Kind::exp:
      return dy * s;
    case Kind::log:
      return dy / s;
    case Kind::power: {
      const T p = static_cast<T>(f.exponent);
      return dy * p * std::pow(s, p - 1);
    }
  }
  return dy;
}

/// Returns the derivative of f' by `s`, the saved one of y and x.
double curvature_at(const Activation& f, double s) {
  using Kind = Activation::Kind;
  switch (f.kind) {
    case Kind::relu:
    case Kind::leaky_relu:
    case Kind::relu6:
    case Kind::hardsigmoid:
      return 0;
    case Kind::tanh:
      return -2 * s;
    case Kind::gelu:
      return (2 - s * s) * std::exp(-0.5 * s * s) * std::numbers::inv_sqrtpi / std::numbers::sqrt2;
    case Kind::silu: {
      const double p = logistic(s);
      return p * (1 - p) * (2 + s * (1 - 2 * p));
    }
    case Kind::sigmoid:
      return 1 - 2 * s;
    case Kind::hardswish:
      return s < -3 || s >= 3 ? 0 : 1.0 / 3;
    case Kind::softplus: {
      const double p = logistic(s * f.beta);
      return s * f.beta > f.threshold ? 0 : f.beta * p * (1 - p);
    }
    case Kind::elu:
      return s > 0 ? 0 : f.alpha * std::exp(s);
    case Kind::gelu_tanh: {
      using U = TanhArgument<double>;
      const double t = std::tanh(U::value(s)), slope = U::slope(s);
      return (1 - t * t) * (slope + 0.5 * s * U::curvature(s) - s * t * slope * slope);
    }
    case Kind::exp:
      return 1;
    case Kind::log:
      return -1 / (s * s);
    case Kind::power:
      return f.exponent * (f.exponent - 1) * std::pow(s, f.exponent - 2);
  }
  return 0;
}

void forward(const ActivationForwardArgs& args, Context&) {
  with_real_type(args.x.dtype(), [&](auto real) {
    using T = decltype(real);
    const T* x = args.x.data<T>();
    T* y = args.y.data<T>();
    for (int64_t i = 0; i < args.x.size(); ++i) y[i] = value(args.activation, x[i]);
  });
}

void backward(const ActivationBackwardArgs& args, Context&) {
  with_real_type(args.dx.dtype(), [&](auto real) {
    using T = decltype(real);
    const T* saved = args.saved().template data<T>();
    const T* dy = args.dy.data<T>();
    T* dx = args.dx.data<T>();
    for (int64_t i = 0; i < args.dx.size(); ++i) {
      const T g = gradient(args.activation, dy[i], saved[i]);
      dx[i] = args.write == Write::accumulate ? dx[i] + g : g;
    }
  });
}

void curvature(const ActivationCurvatureArgs& args, Context&) {
  if (args.activation.is_piecewise_linear()) return;
  with_real_type(args.dx_tangent.dtype(), [&](auto real) {
    using T = decltype(real);
    const T* saved = args.saved.data<T>();
    const T* tangent = args.saved_tangent.data<T>();
    T* out = args.dx_tangent.data<T>();
    for (int64_t i = 0; i < args.dx_tangent.size(); ++i)
      out[i] += static_cast<T>(args.dy.data<T>()[i] * curvature_at(args.activation, saved[i]) *
                               tangent[i]);
  });
}

}  // namespace

void register_activation_reference(OpRegistry& registry) {
  registry.add<ActivationForwardArgs>({"reference", Device::cpu, supports_all, forward});
  registry.add<ActivationBackwardArgs>({"reference", Device::cpu, supports_all, backward});
  registry.add<ActivationCurvatureArgs>({"reference", Device::cpu, supports_all, curvature});
}

}  // namespace topograd
