#include "kernels/core/format.h"

#include <cmath>
#include <cstdio>

namespace topograd {

std::string significant(double value, int digits) {
  if (std::isnan(value)) return "-";
  char shown[48];
  std::snprintf(shown, sizeof shown, "%.*g", digits, value);
  return shown;
}

std::string decimals(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string clock_text(double seconds) {
  if (!std::isfinite(seconds)) return "-:--";
  const long s = std::lround(seconds);
  char text[32];
  if (s >= 3600)
    std::snprintf(text, sizeof text, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
  else
    std::snprintf(text, sizeof text, "%ld:%02ld", s / 60, s % 60);
  return text;
}

std::string printable(std::string text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    // Beside the control characters of ASCII those of UTF-8, which are C2 80 to C2 9F.
    const bool second =
        i > 0 && static_cast<unsigned char>(text[i - 1]) == 0xC2 && c >= 0x80 && c < 0xA0;
    if (second) text[i - 1] = '?';
    if (c < 0x20 || c == 0x7F || second) text[i] = '?';
  }
  return text;
}

}  // namespace topograd
