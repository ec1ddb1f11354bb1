// bf16 on the host.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "kernels/core/tensor.h"

namespace topograd {

/// To the nearest, ties to even; NaN stays NaN, and what is too large becomes infinite.
inline Bf16 to_bf16(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value)) return static_cast<Bf16>((bits >> 16) | 0x40);  // and stays quiet
  return static_cast<Bf16>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

inline float to_float(Bf16 value) {
  return std::bit_cast<float>(static_cast<uint32_t>(value) << 16);
}

}  // namespace topograd
