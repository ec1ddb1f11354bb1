#include "landscape/figures/scale.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <limits>

#include "kernels/core/check.h"
#include "kernels/core/numbers.h"

namespace topograd::drawing {

namespace {

std::string fixed(double value, int decimals) {
  std::array<char, 400> digits;
  std::snprintf(digits.data(), digits.size(), "%.*f", decimals, value);
  return digits.data();
}

std::string without_trailing_zeros(std::string digits) {
  if (digits.find('.') == std::string::npos) return digits;
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.back() == '.') digits.pop_back();
  return digits;
}

/// Returns the number with a minus as wide as a digit, and none in front of zero.
std::string with_minus(const std::string& digits) {
  if (digits.front() != '-') return digits;
  const bool zero = digits.find_first_not_of("-0.") == std::string::npos;
  return zero ? digits.substr(1) : "−" + digits.substr(1);
}

std::string superscript(int exponent) {
  static constexpr std::array<const char*, 10> kDigits = {"⁰", "¹", "²", "³", "⁴",
                                                          "⁵", "⁶", "⁷", "⁸", "⁹"};
  std::string raised = exponent < 0 ? "⁻" : "";
  for (char digit : std::to_string(std::abs(exponent)))
    raised += kDigits[static_cast<size_t>(digit - '0')];
  return raised;
}

/// Returns the number of decimals that `value` shows when printed with 6 significant digits.
int decimals_of(double value) {
  if (value == 0) return 0;
  const int magnitude = static_cast<int>(std::floor(std::log10(std::abs(value))));
  const std::string digits = without_trailing_zeros(fixed(value, std::max(0, 5 - magnitude)));
  const size_t point = digits.find('.');
  return point == std::string::npos ? 0 : static_cast<int>(digits.size() - point - 1);
}

}  // namespace

std::string power_of_ten(int exponent) {
  return "10" + superscript(exponent);
}

namespace {

/// Returns a mantissa times a power of ten.
std::string scientific(double value, int significant) {
  std::array<char, 64> digits;
  std::snprintf(digits.data(), digits.size(), "%.*e", significant - 1, value);
  const std::string shown = digits.data();
  const size_t split = shown.find('e');
  const int exponent = std::atoi(shown.c_str() + split + 1);
  const std::string mantissa = with_minus(without_trailing_zeros(shown.substr(0, split)));
  const std::string power = power_of_ten(exponent);
  if (mantissa == "1") return power;
  if (mantissa == "−1") return "−" + power;
  return mantissa + "×" + power;
}

}  // namespace

std::string format_number(double value, int significant) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "−∞" : "∞";
  if (value == 0) return "0";
  const int exponent = static_cast<int>(std::floor(std::log10(std::abs(value))));
  if (exponent >= -4 && exponent < std::max(5, significant))
    return with_minus(
        without_trailing_zeros(fixed(value, std::max(0, significant - 1 - exponent))));
  return scientific(value, significant);
}

std::vector<std::string> format_ticks(const std::vector<double>& ticks) {
  std::vector<std::string> labels;
  int decimals = 0;
  bool plain = true;
  for (double tick : ticks) {
    const double a = std::abs(tick);
    plain = plain && (a == 0 || (a >= 1e-4 && a < 1e6));
    if (plain) decimals = std::max(decimals, decimals_of(tick));
  }
  for (double tick : ticks)
    labels.push_back(plain ? with_minus(fixed(tick, decimals)) : format_number(tick));
  return labels;
}

std::vector<std::string> format_log_ticks(const std::vector<double>& ticks) {
  constexpr double kLeastPlain = 1e-3, kMostPlain = 1e5;
  const bool plain = std::all_of(ticks.begin(), ticks.end(), [](double tick) {
    return tick >= kLeastPlain && tick <= kMostPlain;
  });
  std::vector<std::string> labels;
  for (const double tick : ticks)
    labels.push_back(plain || tick == 0 ? format_number(tick) : scientific(tick, 6));
  return labels;
}

std::string with_minuses(const std::string& words) {
  std::string result;
  for (size_t i = 0; i < words.size(); ++i) {
    const auto is = [&](size_t at, auto kind) {
      return at < words.size() && kind(static_cast<unsigned char>(words[at])) != 0;
    };
    // A hyphen after a letter or a digit joins them: cross-entropy, 2026-11-30.
    const bool joins = i > 0 && is(i - 1, [](unsigned char c) { return std::isalnum(c); });
    const bool minus =
        words[i] == '-' && !joins && is(i + 1, [](unsigned char c) { return std::isdigit(c); });
    result += minus ? "−" : std::string(1, words[i]);
  }
  return result;
}

ValueScale::ValueScale(const std::vector<double>& values, const FigureOptions& options)
    : scale_(options.scale) {
  const bool log = scale_ == Scale::log;
  double smallest = kInfinity, largest = -kInfinity;
  smallest_positive_ = kInfinity;
  for (double v : values) {
    if (!std::isfinite(v)) {
      ++not_finite_;
      continue;
    }
    smallest = std::min(smallest, v);
    largest = std::max(largest, v);
    if (v > 0) smallest_positive_ = std::min(smallest_positive_, v);
  }
  empty_ = smallest > largest;
  require(empty_ || !log || std::isfinite(smallest_positive_), "no value of '", options.title,
          "' is above 0: choose the linear scale");
  for (const std::optional<double>& bound :
       {options.clip_max, options.level_min, options.level_max})
    require(!bound || (std::isfinite(*bound) && (!log || *bound > 0)), "a scale of '",
            options.title, "' cannot end at ", bound.value_or(0), log ? ": it is logarithmic" : "");
  require(!options.level_min || !options.level_max || *options.level_min < *options.level_max,
          "the scale of '", options.title, "' runs from ", options.level_min.value_or(0), " to ",
          options.level_max.value_or(0), ": swap them");

  // The middle of a map that diverges stands for 0.
  if (!log && diverges(options.colours) && smallest < 0 && largest > 0) {
    largest = std::max(largest, -smallest);
    smallest = -largest;
  }
  if (empty_) smallest_positive_ = smallest = largest = log ? 1 : 0;
  low_ = options.level_min.value_or(log ? smallest_positive_ : smallest);
  high_ = std::min(options.level_max.value_or(options.clip_max ? kInfinity : largest),
                   options.clip_max.value_or(kInfinity));
  // A clip above every value cuts nothing off; the scale then ends with the values.
  if (!options.level_max && options.clip_max) high_ = std::min(high_, std::max(largest, low_));
  // Room for a constant field, or one that is clipped as a whole.
  const double room = 1e-9 * std::max(std::abs(low_), std::abs(high_));
  if (!(high_ - low_ > room)) {
    if (options.clip_max && high_ < low_)
      low_ = log ? high_ / 10 : high_ - std::abs(high_) - 1;
    else
      high_ = log ? low_ * 10 : low_ + (low_ == 0 ? 1 : std::abs(low_));
    if (!(high_ > low_)) high_ = low_ + 1;
  }
  for (double v : values) {
    above_ += std::isfinite(v) && v > high_;
    below_ += std::isfinite(v) && v < low_;
  }
}

double ValueScale::transformed(double value) const {
  if (!std::isfinite(value)) return std::numeric_limits<double>::quiet_NaN();
  if (scale_ == Scale::linear) return value;
  return std::log10(std::max(value, std::min(low_, smallest_positive_)));
}

double ValueScale::fraction(double value) const {
  const double low = transformed(low_);
  return std::clamp((transformed(value) - low) / (transformed(high_) - low), 0.0, 1.0);
}

std::vector<double> ValueScale::levels(int target) const {
  return scale_ == Scale::log ? log_levels(low_, high_, target)
                              : linear_levels(low_, high_, target);
}

}  // namespace topograd::drawing
