// Orders of images, of which a surface takes the first n.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace topograd {

/// Returns the indices of all images in an order whose every prefix holds each class nearly in its
/// share of the whole: the first n are a stratified sample. The seed alone decides which images
/// represent a class.
///
/// The j-th image of a class of m comes at the fraction (2j + 1) / 2m of the order. The counts of
/// the classes among the first n are then Sainte-Lague's apportionment of n seats, which rounds
/// without a bias for large or small classes. With classes of equal size, a prefix's counts differ
/// by at most one. Ties are broken at random.
std::vector<int32_t> stratified_order(std::span<const int32_t> labels, uint64_t seed);

}  // namespace topograd
