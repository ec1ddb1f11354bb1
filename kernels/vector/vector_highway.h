// Function of dot's vector code that other implementations use.
#pragma once

#include <cstdint>

namespace topograd {

/// Returns the sum of a[i] b[i] in double, in dot's order (dot_order.h).
double dot_highway(const float* a, const float* b, int64_t n);

}  // namespace topograd
