// Numbers as text for a reader.
#pragma once

#include <string>

namespace topograd {

/// Formats with `digits` significant digits, as %g does: "0.00123456"; "-" for NaN.
std::string significant(double value, int digits = 6);

/// Formats with `digits` digits behind the point: "0.300".
std::string decimals(double value, int digits);

/// Formats a duration: "1:02:03", or "2:03" below an hour; "-:--" where it is not finite.
std::string clock_text(double seconds);

}  // namespace topograd
