// Directions in parameter space: random ones, normalised to the network's weights (filter
// normalisation), and differences of two networks. H. Li, Z. Xu, G. Taylor, C. Studer, T.
// Goldstein, "Visualizing the Loss Landscape of Neural Nets", NeurIPS 2018, section 4.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "nn/parameter_layout.h"

namespace topograd {

/// A displacement of a network: theta + alpha * parameters, states + alpha * states.
struct Direction {
  Tensor parameters;     ///< [parameter_count] f32, in theta's order
  Tensor running_stats;  ///< [state_count] f32, or undefined: BatchNorm's statistics stay
};

/// Scaling of the random d of a weight w, of a convolution or a linear layer. i runs over the
/// filters: slices along the first axis, one output filter or one row of a fully connected layer.
enum class DirectionNorm {
  filter,   ///< d_i |w_i| / (|d_i| + 1e-10)
  layer,    ///< d |w| / |d|
  weight,   ///< d * w, elementwise
  dfilter,  ///< d_i / (|d_i| + 1e-10)
  dlayer,   ///< d / |d|
  none,     ///< d
};
std::string_view name_of(DirectionNorm norm);
/// Returns the norm of this name, as listed above. Throws Error, listing them, for any other.
DirectionNorm direction_norm_named(std::string_view name);

/// Returns what a random direction of this norm is: "filter-normalised random direction".
std::string random_direction_text(DirectionNorm norm);

/// Scales d, the direction of the weight w, in place; entry.size() values each.
void normalise(const ParameterEntry& entry, DirectionNorm norm, const float* w, float* d);

/// Direction of all other tensors (biases, normalisations' scales and shifts, whatever axes they
/// have, running statistics).
/// biasbn: 0. none: a copy of the tensor, so that one step along the direction doubles it, as in
/// the reference implementation, whose results can thus be reproduced.
enum class Ignore { biasbn, none };
std::string_view name_of(Ignore ignore);
/// Returns the Ignore of this name. Throws Error, listing the names, for any other.
Ignore ignore_named(std::string_view name);

/// Vectors that a direction moves: theta alone, or also BatchNorm's running statistics.
enum class DirectionType { weights, states };
std::string_view name_of(DirectionType type);
/// Returns the type of this name. Throws Error, listing the names, for any other.
DirectionType direction_type_named(std::string_view name);

/// Returns a direction of standard normal numbers, normalised. `number` distinguishes the
/// directions of one seed (0 for x, 1 for y). An element's random number depends only on seed,
/// number and its place in PyTorch's order of the parameters: not on our layout, the type, or the
/// process. Norms are summed in double. `theta` is [parameter_count] f32; `running_stats` is
/// [state_count] f32, needed for DirectionType::states only. Throws Error for other sizes or types.
Direction random_direction(const ParameterLayout& layout, const Tensor& theta,
                           const Tensor& running_stats, uint64_t seed, uint32_t number,
                           DirectionNorm norm = DirectionNorm::filter,
                           Ignore ignore = Ignore::biasbn,
                           DirectionType type = DirectionType::weights);

/// Returns the direction from one network to another, theta_to - theta_from, neither normalised nor
/// with anything ignored; with states if both sets of states are given. Throws Error if sizes
/// differ, or one set of states is missing.
Direction difference(const Tensor& theta_from, const Tensor& theta_to,
                     const Tensor& states_from = {}, const Tensor& states_to = {});

/// Returns the cosine similarity of two directions of one type; NaN if one of them is zero.
double cosine(const Direction& a, const Direction& b);

}  // namespace topograd
