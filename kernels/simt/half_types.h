// __nv_bfloat16 and __half: storage and conversions, to the bit as the GPU's.
//
// Arithmetic on them is left out on purpose, but for comparisons, which do not round. A kernel
// computes in float and converts by name; an operator here would round differently from the GPU's.
#pragma once

#include <bit>
#include <cstdint>

#include "kernels/core/bf16.h"
#include "kernels/simt/vector_types.h"

namespace topograd::simt {

namespace emulator {

/// Rounds to bf16 as the GPU does, which makes every NaN 0x7fff (the host's to_bf16 keeps its
/// sign).
constexpr uint16_t bfloat16_bits(float value) {
  return value != value ? 0x7fff : bf16_bits(value);
}

/// Rounds to IEEE binary16, to nearest, ties to even; too large becomes infinity, NaN 0x7fff.
constexpr uint16_t half_bits(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t magnitude = bits & 0x7fffffffu;
  const uint32_t sign = (bits >> 16) & 0x8000u;
  if (magnitude > 0x7f800000u) return 0x7fff;
  if (magnitude >= 0x47800000u) return static_cast<uint16_t>(sign | 0x7c00u);  // 2^16 or more
  if (magnitude < 0x33000000u) return static_cast<uint16_t>(sign);             // below 2^-25
  // The mantissa with its leading one, and how many of its bits a half has no room for: 13 for a
  // normal half, one more for every power of two below 2^-14. A carry out of the rounding runs
  // into the exponent field, which is what it should do.
  const int exponent = static_cast<int>(magnitude >> 23) - 127;
  const uint32_t mantissa = (magnitude & 0x7fffffu) | 0x800000u;
  const int dropped = exponent >= -14 ? 13 : -1 - exponent;
  const uint32_t exponent_field = exponent >= -14 ? static_cast<uint32_t>(exponent + 14) << 10 : 0;
  const uint32_t rest = mantissa & ((1u << dropped) - 1);
  const uint32_t halfway = 1u << (dropped - 1);
  uint32_t kept = mantissa >> dropped;
  if (rest > halfway || (rest == halfway && (kept & 1))) ++kept;
  return static_cast<uint16_t>(sign | (exponent_field + kept));
}

constexpr float float_from_half(uint16_t bits) {
  const uint32_t sign = static_cast<uint32_t>(bits & 0x8000u) << 16;
  const uint32_t exponent = (bits >> 10) & 0x1fu;
  const uint32_t mantissa = bits & 0x3ffu;
  if (exponent == 0x1f) return std::bit_cast<float>(sign | 0x7f800000u | (mantissa << 13));
  if (exponent > 0) return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
  const float subnormal = static_cast<float>(mantissa) * 0x1p-24f;
  return sign ? -subnormal : subnormal;
}

}  // namespace emulator

struct __nv_bfloat16 {
  uint16_t bits;
  __nv_bfloat16() = default;
  constexpr explicit __nv_bfloat16(float value) : bits(emulator::bfloat16_bits(value)) {}
  constexpr explicit operator float() const { return float_from_bf16_bits(bits); }
};

struct alignas(4) __nv_bfloat162 {
  __nv_bfloat16 x, y;
};

struct __half {
  uint16_t bits;
  __half() = default;
  constexpr explicit __half(float value) : bits(emulator::half_bits(value)) {}
  constexpr explicit operator float() const { return emulator::float_from_half(bits); }
};

struct alignas(4) __half2 {
  __half x, y;
};

using nv_bfloat16 = __nv_bfloat16;
using nv_bfloat162 = __nv_bfloat162;
using half = __half;
using half2 = __half2;

// clang-format off
constexpr __nv_bfloat16 __float2bfloat16_rn(float x) { return __nv_bfloat16(x); }
constexpr __nv_bfloat16 __float2bfloat16(float x) { return __nv_bfloat16(x); }
constexpr float __bfloat162float(__nv_bfloat16 x) { return static_cast<float>(x); }
constexpr unsigned short __bfloat16_as_ushort(__nv_bfloat16 x) { return x.bits; }
constexpr __nv_bfloat16 __ushort_as_bfloat16(unsigned short bits) {
  return std::bit_cast<__nv_bfloat16>(bits);
}
constexpr __nv_bfloat162 __floats2bfloat162_rn(float x, float y) {
  return {__nv_bfloat16(x), __nv_bfloat16(y)};
}
constexpr __nv_bfloat162 __float22bfloat162_rn(float2 v) { return __floats2bfloat162_rn(v.x, v.y); }
constexpr __nv_bfloat162 __halves2bfloat162(__nv_bfloat16 x, __nv_bfloat16 y) { return {x, y}; }
constexpr float2 __bfloat1622float2(__nv_bfloat162 v) {
  return {static_cast<float>(v.x), static_cast<float>(v.y)};
}
constexpr float __low2float(__nv_bfloat162 v) { return static_cast<float>(v.x); }
constexpr float __high2float(__nv_bfloat162 v) { return static_cast<float>(v.y); }
constexpr __nv_bfloat16 __hmax_nan(__nv_bfloat16 x, __nv_bfloat16 y) {
  const float a = static_cast<float>(x), b = static_cast<float>(y);
  if (a != a || b != b) return __ushort_as_bfloat16(0x7fff);
  return a > b || (a == b && (x.bits & 0x8000) == 0) ? x : y;
}
constexpr __nv_bfloat162 __hmax2_nan(__nv_bfloat162 v, __nv_bfloat162 w) {
  return {__hmax_nan(v.x, w.x), __hmax_nan(v.y, w.y)};
}

constexpr __half __float2half_rn(float x) { return __half(x); }
constexpr __half __float2half(float x) { return __half(x); }
constexpr float __half2float(__half x) { return static_cast<float>(x); }
constexpr unsigned short __half_as_ushort(__half x) { return x.bits; }
constexpr __half __ushort_as_half(unsigned short bits) { return std::bit_cast<__half>(bits); }
constexpr __half2 __floats2half2_rn(float x, float y) { return {__half(x), __half(y)}; }
constexpr __half2 __float22half2_rn(float2 v) { return __floats2half2_rn(v.x, v.y); }
constexpr __half2 __halves2half2(__half x, __half y) { return {x, y}; }
constexpr float2 __half22float2(__half2 v) {
  return {static_cast<float>(v.x), static_cast<float>(v.y)};
}
constexpr float __low2float(__half2 v) { return static_cast<float>(v.x); }
constexpr float __high2float(__half2 v) { return static_cast<float>(v.y); }
// clang-format on

}  // namespace topograd::simt
