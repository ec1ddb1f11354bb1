// Scales: from values to colours, levels and tick labels.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "landscape/figures/figure.h"

namespace topograd::drawing {

/// `value` with at most `significant` digits and no trailing zeros: "0.25", "1234", "5×10⁻⁵".
std::string format_number(double value, int significant = 6);

/// One axis's numbers, all with as many decimals as the most precise one needs: "0.0", "0.5".
std::vector<std::string> format_ticks(const std::vector<double>& ticks);

/// How the values of one figure map to its colours.
class ValueScale {
 public:
  /// The range of the finite values, narrowed as the options say. Throws Error where they
  /// contradict each other, or ask for logarithms of a field without positive values.
  ValueScale(const std::vector<double>& values, const FigureOptions& options);

  Scale scale() const { return scale_; }
  double low() const { return low_; }
  double high() const { return high_; }  ///< greater than low(), whatever the values
  bool empty() const { return empty_; }  ///< no value is finite

  int64_t not_finite() const { return not_finite_; }  ///< how many values
  int64_t below() const { return below_; }            ///< how many are smaller than low()
  int64_t above() const { return above_; }            ///< how many are greater than high()

  /// What contours interpolate: the value, or its decimal logarithm. NaN where not finite.
  double transformed(double value) const;
  /// The value's place between low() (0) and high() (1), clamped.
  double fraction(double value) const;
  /// Round numbers in [low(), high()].
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
