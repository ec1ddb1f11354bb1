// The formulas, element by element: the oracle.
#include <cmath>
#include <numbers>

#include "kernels/activation/activation.h"

namespace topograd {

namespace {

template <class T>
T value(Activation activation, T x) {
  switch (activation) {
    case Activation::relu:
      return x < 0 ? T(0) : x;
    case Activation::tanh:
      return std::tanh(x);
    case Activation::gelu:
      return x * T(0.5) * std::erfc(-x / std::numbers::sqrt2_v<T>);
  }
  return x;
}

/// Returns dy f'(x), f' from whichever of x and y the activation keeps.
template <class T>
T gradient(Activation activation, T dy, const T* x, const T* y, int64_t i) {
  switch (activation) {
    case Activation::relu:
      return y[i] > 0 ? dy : T(0);
    case Activation::tanh:
      return dy * (1 - y[i] * y[i]);
    case Activation::gelu: {
      const T cdf = T(0.5) * std::erfc(-x[i] / std::numbers::sqrt2_v<T>);
      const T density = std::exp(T(-0.5) * x[i] * x[i]) * std::numbers::inv_sqrtpi_v<T> /
                        std::numbers::sqrt2_v<T>;
      return dy * (cdf + x[i] * density);
    }
  }
  return dy;
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
    const bool from_x = args.activation == Activation::gelu;
    const T* x = from_x ? args.x.data<T>() : nullptr;
    const T* y = from_x ? nullptr : args.y.data<T>();
    const T* dy = args.dy.data<T>();
    T* dx = args.dx.data<T>();
    for (int64_t i = 0; i < args.dx.size(); ++i) {
      const T g = gradient(args.activation, dy[i], x, y, i);
      dx[i] = args.write == Write::accumulate ? dx[i] + g : g;
    }
  });
}

void curvature(const ActivationCurvatureArgs& args, Context&) {
  if (args.activation == Activation::relu) return;
  with_real_type(args.dx_tangent.dtype(), [&](auto real) {
    using T = decltype(real);
    const T* saved = args.saved.data<T>();
    const T* tangent = args.saved_tangent.data<T>();
    T* out = args.dx_tangent.data<T>();
    for (int64_t i = 0; i < args.dx_tangent.size(); ++i) {
      const double s = saved[i];
      const double density =
          std::exp(-0.5 * s * s) * std::numbers::inv_sqrtpi / std::numbers::sqrt2;
      const double slope = args.activation == Activation::tanh ? -2 * s : (2 - s * s) * density;
      out[i] += static_cast<T>(args.dy.data<T>()[i] * slope * tangent[i]);
    }
  });
}

}  // namespace

void register_activation_reference(OpRegistry& registry) {
  registry.add<ActivationForwardArgs>({"reference", Device::cpu, supports_all, forward});
  registry.add<ActivationBackwardArgs>({"reference", Device::cpu, supports_all, backward});
  registry.add<ActivationCurvatureArgs>({"reference", Device::cpu, supports_all, curvature});
}

}  // namespace topograd
