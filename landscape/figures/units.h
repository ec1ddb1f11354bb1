// Units: powers of ten by which numbers are divided that are too large or too small to be drawn.
#pragma once

#include <string>
#include <vector>

#include "landscape/figures/figure.h"

namespace topograd::drawing {

/// Power of ten. Its exponent is 0 unless numbers exceed 1e100, or span less than 1e-100: squares
/// of them, and differences of the smallest, are then no numbers any more.
struct Unit {
  int exponent = 0;

  double of(double number) const;
  std::vector<double> of(std::vector<double> numbers) const;
  /// Returns the label with the unit: "loss (×10³⁰⁷)".
  std::string labelled(const std::string& label) const;
};

/// Returns the unit of numbers, of which those that are not finite do not count.
Unit unit_of(const std::vector<double>& numbers);

/// Field that a figure can draw.
struct DrawableField {
  FieldView field;
  FigureOptions options;
};
/// Returns axes, values, marks and ends of the scale in units that can be drawn, named in the
/// labels.
DrawableField in_units(const FieldView& field, const FigureOptions& options);

/// Curves that a figure can draw.
struct DrawableCurves {
  CurveView curves;
  FigureOptions options;
};
/// Returns curves in units that can be drawn, named in the labels; percentages, those of the right
/// axis, stay as they are.
DrawableCurves in_units(const CurveView& curves, const FigureOptions& options);

}  // namespace topograd::drawing
