// Orders of images, of which a surface takes the first n.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace topograd {

/// All images, in an order whose every prefix holds each class nearly in its share of the whole:
/// the first n are a stratified sample. Which images represent a class is random, decided by the
/// seed alone.
///
/// The j-th image of a class of m comes at the fraction (2j + 1) / 2m of the way: how many of each
/// class are among the first n is Sainte-Lague's apportionment of n seats to the classes, the fair
/// one that rounds without a bias for large or small classes. With classes of equal size, a
/// prefix's counts differ by at most one. Ties are broken at random.
std::vector<int32_t> stratified_order(std::span<const int32_t> labels, uint64_t seed);

}  // namespace topograd
