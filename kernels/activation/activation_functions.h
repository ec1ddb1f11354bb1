// The activations, their gradients and curvatures at one element, for the kernels of this folder.
#pragma once

#include "kernels/activation/activation.h"
#include "kernels/core/launch.h"

namespace topograd::TOPOGRAD_BACKEND {

// Each has value(x); gradient(dy, saved), where saved is y or x, as differentiates_output() says;
// and, where it is not linear piece by piece, curvature(saved), the derivative of f' by saved.

struct Relu {
  __device__ float value(float x) const {
    return x < 0 ? 0.0f : x;  // NaN is not below 0: it stays
  }
  __device__ float gradient(float dy, float y) const { return y > 0 ? dy : 0.0f; }
};

struct LeakyRelu {
  float slope;
  __device__ float value(float x) const { return x > 0 ? x : slope * x; }
  __device__ float gradient(float dy, float saved) const { return saved > 0 ? dy : slope * dy; }
};

struct Relu6 {
  __device__ float value(float x) const { return x < 0 ? 0.0f : x > 6 ? 6.0f : x; }
  __device__ float gradient(float dy, float y) const { return y <= 0 || y >= 6 ? 0.0f : dy; }
};

struct Tanh {
  __device__ float value(float x) const { return tanhf(x); }
  __device__ float gradient(float dy, float y) const { return dy * (1.0f - y * y); }
  __device__ float curvature(float y) const { return -2.0f * y; }
};

/// normcdff is Phi itself. erfcf(-x / sqrt(2)) / 2 would lose digits in the tail, where the
/// rounding of the quotient is multiplied by x^2.
struct Gelu {
  static __device__ float density(float x) {
    return 0.39894228f * expf(-0.5f * x * x);  // 1 / sqrt(2 pi)
  }
  __device__ float value(float x) const { return x * normcdff(x); }
  __device__ float gradient(float dy, float x) const { return dy * (normcdff(x) + x * density(x)); }
  __device__ float curvature(float x) const { return (2.0f - x * x) * density(x); }
};

/// 1 / (1 + exp(-x)); far below 0 exp(-x) is infinite, and the quotient 0.
__device__ inline float logistic(float x) {
  return 1.0f / (1.0f + expf(-x));
}

struct Sigmoid {
  __device__ float value(float x) const { return logistic(x); }
  __device__ float gradient(float dy, float y) const { return dy * (1.0f - y) * y; }
  __device__ float curvature(float y) const { return 1.0f - 2.0f * y; }
};

struct Silu {
  __device__ float value(float x) const { return x * logistic(x); }
  __device__ float gradient(float dy, float x) const {
    const float p = logistic(x);
    return dy * p * (1.0f + x * (1.0f - p));
  }
  __device__ float curvature(float x) const {
    const float p = logistic(x);
    return p * (1.0f - p) * (2.0f + x * (1.0f - 2.0f * p));
  }
};

struct Hardsigmoid {
  __device__ float value(float x) const { return Relu6{}.value(x + 3.0f) / 6.0f; }
  __device__ float gradient(float dy, float x) const { return x > -3 && x < 3 ? dy / 6.0f : 0.0f; }
};

struct Hardswish {
  __device__ float value(float x) const { return x * Relu6{}.value(x + 3.0f) / 6.0f; }
  __device__ float gradient(float dy, float x) const {
    return x < -3 ? 0.0f : x < 3 ? dy * (x / 3.0f + 0.5f) : dy;
  }
  __device__ float curvature(float x) const { return x < -3 || x >= 3 ? 0.0f : 1.0f / 3.0f; }
};

struct Softplus {
  float beta, threshold;
  __device__ float value(float x) const {
    return x * beta > threshold ? x : log1pf(expf(x * beta)) / beta;
  }
  __device__ float gradient(float dy, float x) const {
    return x * beta > threshold ? dy : dy * logistic(x * beta);
  }
  __device__ float curvature(float x) const {
    const float p = logistic(x * beta);
    return x * beta > threshold ? 0.0f : beta * p * (1.0f - p);
  }
};

struct Elu {
  float alpha;
  __device__ float value(float x) const { return x > 0 ? x : alpha * expm1f(x); }
  __device__ float gradient(float dy, float x) const { return x > 0 ? dy : dy * alpha * expf(x); }
  __device__ float curvature(float x) const { return x > 0 ? 0.0f : alpha * expf(x); }
};

/// x (1 + tanh u) / 2 with u = k (x + c x^3), k = sqrt(2 / pi), c = 0.044715.
struct GeluTanh {
  static __device__ float u(float x) { return 0.7978846f * (x + 0.044715f * x * x * x); }
  static __device__ float u_slope(float x) { return 0.7978846f * (1.0f + 0.134145f * x * x); }
  __device__ float value(float x) const { return 0.5f * x * (1.0f + tanhf(u(x))); }
  __device__ float gradient(float dy, float x) const {
    const float t = tanhf(u(x));
    return dy * 0.5f * (1.0f + t + x * (1.0f - t * t) * u_slope(x));
  }
  __device__ float curvature(float x) const {
    const float t = tanhf(u(x)), slope = u_slope(x);
    // 0.10703222 = 3 k c: half of x u'' is that times x^2.
    return (1.0f - t * t) * (slope + 0.10703222f * x * x - x * t * slope * slope);
  }
};

struct Exp {
  __device__ float value(float x) const { return expf(x); }
  __device__ float gradient(float dy, float y) const { return dy * y; }
  __device__ float curvature(float) const { return 1.0f; }
};

struct Log {
  __device__ float value(float x) const { return logf(x); }
  __device__ float gradient(float dy, float x) const { return dy / x; }
  __device__ float curvature(float x) const { return -1.0f / (x * x); }
};

/// x^p. A quotient is a power of -1, for which powf would take a logarithm and an exponential.
struct Power {
  float p;
  __device__ float raised(float x, float exponent) const {
    return exponent == -1 ? 1.0f / x : powf(x, exponent);
  }
  __device__ float value(float x) const { return raised(x, p); }
  __device__ float gradient(float dy, float x) const { return dy * p * raised(x, p - 1.0f); }
  __device__ float curvature(float x) const { return p * (p - 1.0f) * raised(x, p - 2.0f); }
};

/// Calls f with the struct of the activation.
template <class F>
void with_functions(const Activation& activation, F&& f) {
  using Kind = Activation::Kind;
  switch (activation.kind) {
    case Kind::relu:
      return f(Relu{});
    case Kind::tanh:
      return f(Tanh{});
    case Kind::gelu:
      return f(Gelu{});
    case Kind::leaky_relu:
      return f(LeakyRelu{static_cast<float>(activation.slope)});
    case Kind::relu6:
      return f(Relu6{});
    case Kind::silu:
      return f(Silu{});
    case Kind::sigmoid:
      return f(Sigmoid{});
    case Kind::hardswish:
      return f(Hardswish{});
    case Kind::hardsigmoid:
      return f(Hardsigmoid{});
    case Kind::softplus:
      return f(
          Softplus{static_cast<float>(activation.beta), static_cast<float>(activation.threshold)});
    case Kind::elu:
      return f(Elu{static_cast<float>(activation.alpha)});
    case Kind::gelu_tanh:
      return f(GeluTanh{});
    case Kind::exp:
      return f(Exp{});
    case Kind::log:
      return f(Log{});
    case Kind::power:
      return f(Power{static_cast<float>(activation.exponent)});
  }
}

inline bool supports_forward(const ActivationForwardArgs& args) {
  return all_f32(args.y, args.x);
}
inline bool supports_backward(const ActivationBackwardArgs& args) {
  return all_f32(args.dx, args.dy, args.saved());
}

}  // namespace topograd::TOPOGRAD_BACKEND
