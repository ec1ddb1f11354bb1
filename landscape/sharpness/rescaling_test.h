// The test of a rescaling: that the rescaled network computes the same function, and how its loss
// looks along lines.
#pragma once

#include <string>
#include <vector>

#include "landscape/sharpness/network_loss.h"
#include "landscape/sharpness/sharpness_results.h"

namespace topograd {

/// Passes over all images of the comparison and the slices.
constexpr double kLossesOfRescaling = 2 + 4 * 41;

/// Sets the test's largest_logit and largest_difference from the logits of the same images before
/// and after the rescaling, [N, classes] each. Throws Error where one is not finite, or where the
/// difference is more than rounding: then it is another function.
void compare_logits(ReparametrisationTest& test, const Tensor& before, const Tensor& after);

/// Returns the losses of both networks along two lines, 41 points from -1 to 1: "filter", along a
/// filter-normalised direction of each network's own; "plain", along one and the same normal
/// direction, as long as the filter-normalised one of the first.
std::vector<RescaledSlice> slices_of(NetworkLoss& before, NetworkLoss& after,
                                     const ParameterLayout& layout, uint64_t seed);

}  // namespace topograd
