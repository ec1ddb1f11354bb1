// Directions in the space of parameters: random ones, normalised to the network's own scale, and
// differences of two networks. H. Li, Z. Xu, G. Taylor, C. Studer, T. Goldstein, "Visualizing the
// Loss Landscape of Neural Nets", NeurIPS 2018, section 4.
#pragma once

#include <cstdint>
#include <string_view>

#include "nn/parameter_layout.h"

namespace topograd {

/// A displacement of a network: theta + alpha * parameters, states + alpha * states.
struct Direction {
  Tensor parameters;     ///< [parameter_count] f32, in theta's order
  Tensor running_stats;  ///< [state_count] f32, or undefined where BatchNorm's statistics stay put
};

/// How the random d of a weight w (two axes or more) is scaled. i runs over the filters: slices
/// along the first axis, one output filter or one row of a fully connected layer.
enum class DirectionNorm {
  filter,   ///< d_i |w_i| / (|d_i| + 1e-10)
  layer,    ///< d |w| / |d|
  weight,   ///< d * w, elementwise
  dfilter,  ///< d_i / (|d_i| + 1e-10)
  dlayer,   ///< d / |d|
  none,     ///< d
};
std::string_view name_of(DirectionNorm norm);
/// "filter", "layer", "weight", "dfilter", "dlayer" or "none"; else an Error that lists them.
DirectionNorm direction_norm_named(std::string_view name);

/// Scales d, the direction of the weight w, in place.
void normalise(const ParameterEntry& entry, DirectionNorm norm, const float* w, float* d);

/// What tensors of one axis get (biases, BatchNorm's scale and shift, its running statistics):
/// biasbn: 0. none: a copy of themselves, so that one step along the direction doubles them. That
/// is the reference implementation's choice, kept so that its results can be reproduced.
enum class Ignore { biasbn, none };
std::string_view name_of(Ignore ignore);
/// "biasbn" or "none"; anything else is an Error that lists them.
Ignore ignore_named(std::string_view name);

/// What a direction moves: theta alone, or BatchNorm's running statistics with it.
enum class DirectionType { weights, states };
std::string_view name_of(DirectionType type);
/// "weights" or "states"; anything else is an Error that lists them.
DirectionType direction_type_named(std::string_view name);

/// Standard normal numbers, normalised. `number` tells the directions of one seed apart (0 for x, 1
/// for y). An element's random number depends on seed, number and its place in PyTorch's order of
/// the parameters alone: not on our layout, the type, or which process draws it. Norms are sums in
/// double. `theta` is [parameter_count] f32; `states` is [state_count] f32, needed for
/// DirectionType::states only.
Direction random_direction(const ParameterLayout& layout, const Tensor& theta,
                           const Tensor& running_stats, uint64_t seed, uint32_t number,
                           DirectionNorm norm = DirectionNorm::filter,
                           Ignore ignore = Ignore::biasbn,
                           DirectionType type = DirectionType::weights);

/// The way from one network to another: theta_to - theta_from as it is, neither normalised nor with
/// anything ignored; with states where both sets of states are given.
Direction difference(const Tensor& theta_from, const Tensor& theta_to,
                     const Tensor& states_from = {}, const Tensor& states_to = {});

/// The cosine of the angle between two directions of one type; NaN where one of them is zero.
double cosine(const Direction& a, const Direction& b);

}  // namespace topograd
