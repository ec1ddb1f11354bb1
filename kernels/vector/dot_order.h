// The order in which dot and filter_norm add, shared by their implementations: the same bits
// whichever runs. Products of two floats are exact in double, so it does not matter either whether
// an addition is fused with them.
#pragma once

#include <algorithm>
#include <cstdint>

namespace topograd {

/// A block is summed in 32 partial sums, term i into partial sum i % 32: four vectors of eight
/// doubles, enough that no addition waits for the one before it. The sums of blocks are added in
/// order, so that rounding errors grow with a block's length plus the number of blocks, not with
/// their product.
constexpr int64_t kDotBlock = 4096;
constexpr int64_t kDotPartialSums = 32;

/// Returns the sum of the partial sums, by halves. Constant halves tell the compiler that they do
/// not overlap, which halves the time of a short vector.
template <int64_t kHalf = kDotPartialSums / 2>
inline double sum_of_partial_sums(double* partial) {
  for (int64_t i = 0; i < kHalf; ++i) partial[i] += partial[i + kHalf];
  if constexpr (kHalf > 1) return sum_of_partial_sums<kHalf / 2>(partial);
  return partial[0];
}

/// Returns the sum of a[i] b[i] in that order, in plain loops.
template <class T>
double dot_in_order(const T* a, const T* b, int64_t n) {
  double sum = 0;
  for (int64_t begin = 0; begin < n; begin += kDotBlock) {
    double partial[kDotPartialSums] = {};
    for (int64_t i = begin; i < std::min(n, begin + kDotBlock); ++i)
      partial[(i - begin) % kDotPartialSums] +=
          static_cast<double>(a[i]) * static_cast<double>(b[i]);
    sum += sum_of_partial_sums(partial);
  }
  return sum;
}

}  // namespace topograd
