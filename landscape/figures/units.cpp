#include "landscape/figures/units.h"

#include <algorithm>
#include <cmath>

#include "kernels/core/numbers.h"
#include "landscape/figures/scale.h"

namespace topograd::drawing {

namespace {

constexpr double kLargest = 1e100, kSmallest = 1e-100;

void divide(std::optional<double>& number, const Unit& unit) {
  if (number) number = unit.of(*number);
}

void divide_ends(FigureOptions& options, const Unit& unit) {
  divide(options.clip_max, unit);
  divide(options.level_min, unit);
  divide(options.level_max, unit);
}

}  // namespace

double Unit::of(double number) const {
  if (exponent == 0) return number;
  // In two steps: ten to the power of 320 is no number.
  const int half = exponent / 2;
  return number * std::pow(10.0, -half) * std::pow(10.0, half - exponent);
}

std::vector<double> Unit::of(std::vector<double> numbers) const {
  for (double& number : numbers) number = of(number);
  return numbers;
}

std::string Unit::labelled(const std::string& label) const {
  if (exponent == 0) return label;
  const std::string power = "×" + power_of_ten(exponent);
  return label.empty() ? power : label + " (" + power + ")";
}

Unit unit_of(const std::vector<double>& numbers) {
  double low = kInfinity, high = -kInfinity;
  for (const double number : numbers)
    if (std::isfinite(number)) {
      low = std::min(low, number);
      high = std::max(high, number);
    }
  if (low > high) return {};
  const double largest = std::max(std::abs(low), std::abs(high));
  const double half_span = 0.5 * high - 0.5 * low;  // the span itself may be infinite
  if (largest <= kLargest && (low == high || half_span >= kSmallest)) return {};
  return {static_cast<int>(std::floor(std::log10(largest)))};
}

DrawableField in_units(const FieldView& field, const FigureOptions& options) {
  const Unit x = unit_of(field.x), y = unit_of(field.y), values = unit_of(field.values);
  DrawableField made{field, options};
  made.field.x = x.of(field.x);
  made.field.y = y.of(field.y);
  made.field.values = values.of(field.values);
  const auto moved = [&](PlanePoint p) { return PlanePoint{x.of(p.x), y.of(p.y)}; };
  for (PlanePoint& point : made.options.marks.path) point = moved(point);
  for (FigureMarks::Mark& network : made.options.marks.networks) network.at = moved(network.at);
  divide_ends(made.options, values);
  made.options.x_label = x.labelled(options.x_label);
  made.options.y_label = y.labelled(options.y_label);
  made.options.value_label = values.labelled(options.value_label);
  return made;
}

DrawableCurves in_units(const CurveView& curves, const FigureOptions& options) {
  std::vector<double> numbers;
  for (const Series& series : curves.series)
    if (series.axis == Series::Axis::left)
      numbers.insert(numbers.end(), series.values.begin(), series.values.end());
  const Unit x = unit_of(curves.x), values = unit_of(numbers);
  DrawableCurves made{curves, options};
  made.curves.x = x.of(curves.x);
  made.curves.guides = x.of(curves.guides);
  for (Series& series : made.curves.series) {
    series.x = x.of(series.x);
    if (series.axis != Series::Axis::left) continue;
    series.values = values.of(series.values);
    series.errors = values.of(series.errors);
    for (std::vector<double>& single : series.singles) single = values.of(single);
  }
  divide_ends(made.options, values);
  made.options.x_label = x.labelled(options.x_label);
  made.options.y_label = values.labelled(options.y_label);
  return made;
}

}  // namespace topograd::drawing
