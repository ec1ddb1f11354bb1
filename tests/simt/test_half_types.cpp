// bfloat16 and half: every number there and back, and rounding to the nearest, ties to even.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/simt/half_types.h"

using namespace topograd::simt;

namespace {

/// A binary floating-point format, from its definition.
struct Format {
  int mantissa_bits;
  int lowest_exponent;  // of normal numbers
  double largest;
};
constexpr Format kBfloat16{7, -126, 0x1.fep127};
constexpr Format kHalf{10, -14, 65504};

/// The multiple of the format's spacing at x that is nearest, ties to an even multiple; infinity
/// where that is beyond the largest number.
double rounded(double x, const Format& format) {
  if (x == 0 || std::isinf(x)) return x;
  const int exponent = std::max(std::ilogb(x), format.lowest_exponent);
  const double spacing = std::ldexp(1.0, exponent - format.mantissa_bits);
  const double result = std::nearbyint(x / spacing) * spacing;
  return std::abs(result) > format.largest ? std::copysign(INFINITY, x) : result;
}

/// Floats of every exponent, and on, just below and just above every halfway point near them.
std::vector<float> probes() {
  std::vector<float> result = {0.0f, -0.0f, INFINITY, -INFINITY, std::numeric_limits<float>::max()};
  for (uint32_t upper = 0; upper < 0x10000; upper += 7)
    for (uint32_t lower :
         {0u, 1u, 0x0fffu, 0x1000u, 0x1001u, 0x3000u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu})
      result.push_back(std::bit_cast<float>(upper << 16 | lower));
  return result;
}

}  // namespace

TEST_CASE("bfloat16: every number survives the way to float and back") {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto number = __ushort_as_bfloat16(static_cast<unsigned short>(bits));
    const float value = __bfloat162float(number);
    if (std::isnan(value)) {
      REQUIRE(__bfloat16_as_ushort(__float2bfloat16_rn(value)) == 0x7fff);
    } else {
      REQUIRE(__bfloat16_as_ushort(__float2bfloat16_rn(value)) == bits);
    }
  }
}

TEST_CASE("half: every number survives the way to float and back") {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto number = __ushort_as_half(static_cast<unsigned short>(bits));
    const float value = __half2float(number);
    if (std::isnan(value)) {
      REQUIRE(__half_as_ushort(__float2half_rn(value)) == 0x7fff);
    } else {
      REQUIRE(__half_as_ushort(__float2half_rn(value)) == bits);
    }
  }
  CHECK(__half2float(__ushort_as_half(0x3c00)) == 1.0f);
  CHECK(__half2float(__ushort_as_half(0x0001)) == 0x1p-24f);
  CHECK(__half2float(__ushort_as_half(0xfbff)) == -65504.0f);
}

TEST_CASE("bfloat16 and half: rounding to the nearest, ties to even") {
  for (float probe : probes()) {
    const float as_bfloat16 = __bfloat162float(__float2bfloat16_rn(probe));
    const float as_half = __half2float(__float2half_rn(probe));
    if (std::isnan(probe)) {
      REQUIRE(std::isnan(as_bfloat16));
      REQUIRE(std::isnan(as_half));
      continue;
    }
    REQUIRE(as_bfloat16 == rounded(probe, kBfloat16));
    REQUIRE(as_half == rounded(probe, kHalf));
    REQUIRE(std::signbit(as_bfloat16) == std::signbit(probe));
    REQUIRE(std::signbit(as_half) == std::signbit(probe));
  }
}

TEST_CASE("bfloat16 and half: pairs keep their order, and lie in memory as on the GPU") {
  const __nv_bfloat162 pair = __floats2bfloat162_rn(1.0f, -2.0f);
  uint32_t word;
  static_assert(sizeof pair == sizeof word && alignof(__nv_bfloat162) == 4);
  std::memcpy(&word, &pair, sizeof word);
  CHECK(word == 0xc0003f80);
  CHECK(__low2float(pair) == 1.0f);
  CHECK(__high2float(pair) == -2.0f);
  CHECK(__bfloat1622float2(pair).y == -2.0f);

  const __half2 halves = __floats2half2_rn(1.0f, -2.0f);
  std::memcpy(&word, &halves, sizeof word);
  CHECK(word == 0xc0003c00);
  CHECK(__half22float2(halves).x == 1.0f);
}
