// Text for a reader: numbers, and words from files.
#pragma once

#include <charconv>
#include <string>

namespace topograd {

/// Formats with `digits` significant digits, as %g does: "0.00123456"; "-" for NaN.
std::string significant(double value, int digits = 6);

/// Formats with `digits` digits behind the point: "0.300".
std::string decimals(double value, int digits);

/// Formats with the fewest digits that read back as the same value: "0.1", "inf", "nan".
template <class T>
std::string shortest(T value) {
  char digits[64];
  return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}

/// Returns the text without characters that drive a terminal, which names in files may have: each
/// becomes a "?".
std::string printable(std::string text);

/// Formats a duration: "1:02:03", or "2:03" below an hour; "-:--" where it is not finite.
std::string clock_text(double seconds);

}  // namespace topograd
