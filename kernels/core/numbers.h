// Numbers and indices that many files need.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>

namespace topograd {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Returns an index or a count, which is never negative here, as the standard containers take it.
constexpr size_t at(int64_t i) {
  return static_cast<size_t>(i);
}

}  // namespace topograd
