// What other implementations borrow from dot's vector code.
#pragma once

#include <cstdint>

namespace topograd {

/// The sum of a[i] b[i] in double, in dot's order (dot_order.h).
double dot_highway(const float* a, const float* b, int64_t n);

}  // namespace topograd
