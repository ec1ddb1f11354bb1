// bf16: the upper half of a float, on the host and in the emulator.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "kernels/core/tensor.h"

namespace topograd {

/// Returns the bits of the bf16 number nearest to a float that is not NaN, ties to even. Floats
/// that are too large become infinite.
constexpr uint16_t bf16_bits(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  return static_cast<uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

/// Returns the float equal to the bf16 number of these bits.
constexpr float float_from_bf16_bits(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

/// Rounds to the nearest bf16 number, ties to even. NaN becomes a quiet NaN of the same sign;
/// floats that are too large become infinite.
inline Bf16 to_bf16(float value) {
  if (!std::isnan(value)) return static_cast<Bf16>(bf16_bits(value));
  constexpr uint32_t kQuiet = 0x40;
  return static_cast<Bf16>(std::bit_cast<uint32_t>(value) >> 16 | kQuiet);
}

inline float to_float(Bf16 value) {
  return float_from_bf16_bits(static_cast<uint16_t>(value));
}

}  // namespace topograd
