// Periods in which BatchNorm's vector code walks an array of channels (batchnorm_highway.cpp).
#pragma once

#include <algorithm>
#include <numeric>
#include <vector>

#include "kernels/core/tensor.h"

namespace topograd {

/// Division of [..., C] into periods of P numbers, a multiple of C and of the vector length, and a
/// tail shorter than one.
struct ChannelPeriods {
  int64_t C, P, whole, tail_begin, size;
  ChannelPeriods(const Tensor& x, int64_t channels, int64_t lanes) : C(channels), size(x.size()) {
    const int64_t shortest = std::lcm(C, lanes);
    const int64_t chains = 8;  // independent additions that hide an addition's latency
    P = shortest * std::max<int64_t>(1, chains * lanes / shortest);
    whole = size / P;
    tail_begin = whole * P;
  }
  /// Returns a table of one period of a per-channel function.
  template <class F>
  std::vector<float> table(F value) const {
    std::vector<float> result(static_cast<size_t>(P));
    for (int64_t j = 0; j < P; ++j)
      result[static_cast<size_t>(j)] =
          j < C ? static_cast<float>(value(j)) : result[static_cast<size_t>(j - C)];
    return result;
  }
};

// Partial sums in float take at most this many terms before they are moved to double: the error of
// a partial sum stays below 64 * 2^-24 = 4e-6 of its terms' magnitude, usually a tenth of that.
constexpr int64_t kPeriodsPerBlock = 64;

}  // namespace topograd
