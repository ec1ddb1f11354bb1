// Initial weights of a network.
#pragma once

#include <cstdint>
#include <string>

#include "nn/parameter_layout.h"

namespace topograd {

/// Distribution that the first weights are drawn from. fan_in is the number of inputs of one
/// output: a filter's size; fan_out = filters * height * width of a convolution's window, or a
/// linear layer's outputs. With groups, and of transposed convolutions, both are PyTorch's: numbers
/// of its tensor's second and first axis, times height and width. N(0, s) is normal with deviation
/// s, U(b) uniform between -b and b.
/// BatchNorm and LayerNorm begin with scale 1 and shift 0 everywhere.
enum class Initialisation {
  /// The landscape paper's code. Convolutions N(0, sqrt(2 / fan_in)) (He et al., "Delving Deep
  /// into Rectifiers", 2015), linear layers N(0, 1e-3), biases 0.
  kaiming_fan_in,
  /// torchvision's ResNets. Convolutions N(0, sqrt(2 / fan_out)), their biases 0; linear layers
  /// and their biases as in `pytorch`.
  kaiming_fan_out,
  /// Weights U(sqrt(6 / (fan_in + fan_out))), biases 0 (Glorot & Bengio, "Understanding the
  /// Difficulty of Training Deep Feedforward Neural Networks", 2010).
  xavier,
  /// PyTorch's default for nn.Conv2d and nn.Linear, kaiming_uniform with a = sqrt(5): weights and
  /// biases U(1 / sqrt(fan_in)).
  pytorch,
};
/// Returns the one of that name ("kaiming_fan_in"). Throws Error that lists the names for any
/// other.
Initialisation initialisation_named(const std::string& name);
std::string name_of(Initialisation initialisation);

/// Fills theta and the running statistics, flat f32 vectors on the CPU: weights drawn from the
/// seed, running means 0, running variances 1. A tensor's numbers depend on the seed, its place in
/// the layout and the kind alone.
void initialise(const ParameterLayout& layout, uint64_t seed, const Tensor& theta,
                const Tensor& running_stats,
                Initialisation initialisation = Initialisation::kaiming_fan_in);

}  // namespace topograd
