// Scales: from values to colours, levels and tick labels.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "landscape/figures/figure.h"

namespace topograd::drawing {

/// Returns `value` with at most `significant` digits and no trailing zeros: "0.25", "1234",
/// "5×10⁻⁵".
std::string format_number(double value, int significant = 6);

/// Returns "10⁻⁵".
std::string power_of_ten(int exponent);

/// Returns the labels of ticks, all with as many decimals as the most precise one needs: "0.0",
/// "0.5".
std::vector<std::string> format_ticks(const std::vector<double>& ticks);

/// Returns the labels of ticks over decades, in one form: plain numbers, or all powers of ten where
/// one of them needs it.
std::vector<std::string> format_log_ticks(const std::vector<double>& ticks);

/// Returns the words with a minus as wide as a digit for every hyphen before one.
std::string with_minuses(const std::string& words);

/// Map from the values of one figure to its colours.
class ValueScale {
 public:
  /// Takes the range of the finite values, narrowed by the options. Throws Error where the options
  /// contradict each other, or ask for logarithms of a field without positive values.
  ValueScale(const std::vector<double>& values, const FigureOptions& options);

  Scale scale() const { return scale_; }
  double low() const { return low_; }
  double high() const { return high_; }  ///< always greater than low()
  bool empty() const { return empty_; }  ///< no value is finite

  int64_t not_finite() const { return not_finite_; }  ///< count of NaN and infinity
  int64_t below() const { return below_; }            ///< count of values smaller than low()
  int64_t above() const { return above_; }            ///< count of values greater than high()

  /// Returns what contours interpolate: the value, or its decimal logarithm; NaN if not finite.
  double transformed(double value) const;
  /// Returns the value's place between low() (0) and high() (1), clamped.
  double fraction(double value) const;
  /// Returns about `target` round numbers in [low(), high()].
  std::vector<double> levels(int target) const;

 private:
  Scale scale_;
  double low_ = 0;
  double high_ = 1;
  double smallest_positive_ = 0;
  bool empty_ = true;
  int64_t not_finite_ = 0;
  int64_t below_ = 0;
  int64_t above_ = 0;
};

}  // namespace topograd::drawing
