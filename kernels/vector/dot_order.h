// The order in which dot adds, shared by its rows: the same bits whichever runs. Products of two
// floats are exact in double, so it does not matter either whether an addition is fused with them.
#pragma once

#include <cstdint>

namespace topograd {

/// A block is summed in 32 partial sums, term i into partial sum i % 32: four vectors of eight
/// doubles, enough that no addition waits for the one before it. The sums of blocks are added in
/// order, so that rounding errors grow with a block's length plus the number of blocks, not with
/// their product.
constexpr int64_t kDotBlock = 4096;
constexpr int64_t kDotPartialSums = 32;

/// The sum of the partial sums, by halves. Constant halves tell the compiler that they do not
/// overlap, which halves the time of a short vector.
template <int64_t kHalf = kDotPartialSums / 2>
inline double sum_of_partial_sums(double* partial) {
  for (int64_t i = 0; i < kHalf; ++i) partial[i] += partial[i + kHalf];
  if constexpr (kHalf > 1) return sum_of_partial_sums<kHalf / 2>(partial);
  return partial[0];
}

}  // namespace topograd
