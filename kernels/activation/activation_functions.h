// The three activations and their gradients at one element, for the kernels of this folder.
#pragma once

#include "kernels/activation/activation.h"
#include "kernels/core/launch.h"

namespace topograd::TOPOGRAD_BACKEND {

// Each has value(x), and gradient(dy, saved), where saved is y, or x for GELU.

struct Relu {
  static __device__ float value(float x) {
    return x < 0 ? 0.0f : x;  // NaN is not below 0: it stays
  }
  static __device__ float gradient(float dy, float y) { return y > 0 ? dy : 0.0f; }
};

struct Tanh {
  static __device__ float value(float x) { return tanhf(x); }
  static __device__ float gradient(float dy, float y) { return dy * (1.0f - y * y); }
};

/// normcdff is Phi itself. erfcf(-x / sqrt(2)) / 2 would lose digits in the tail, where the
/// rounding of the quotient is multiplied by x^2.
struct Gelu {
  static __device__ float value(float x) { return x * normcdff(x); }
  static __device__ float gradient(float dy, float x) {
    const float density = 0.39894228f * expf(-0.5f * x * x);  // 1 / sqrt(2 pi)
    return dy * (normcdff(x) + x * density);
  }
};

/// Calls f with the struct of the activation.
template <class F>
void with_functions(Activation activation, F&& f) {
  switch (activation) {
    case Activation::relu:
      return f(Relu{});
    case Activation::tanh:
      return f(Tanh{});
    case Activation::gelu:
      return f(Gelu{});
  }
}

/// Returns the tensor of the forward pass that the backward pass reads: x for GELU, else y.
inline const float* saved(const ActivationBackwardArgs& args) {
  return pointer<float>(args.activation == Activation::gelu ? args.x : args.y);
}

inline bool supports_forward(const ActivationForwardArgs& args) {
  return all_f32(args.y, args.x);
}
inline bool supports_backward(const ActivationBackwardArgs& args) {
  return all_f32(args.dx, args.dy, args.activation == Activation::gelu ? args.x : args.y);
}

}  // namespace topograd::TOPOGRAD_BACKEND
