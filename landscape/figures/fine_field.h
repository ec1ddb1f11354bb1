// A field between its points: monotone cubics, the same in contours and reliefs.
#pragma once

#include <vector>

#include "landscape/figures/marching_squares.h"

namespace topograd::drawing {

/// Evaluates the monotone cubic through the points, which rises and falls only where they do
/// (Fritsch & Butland, 1984): a relief must not show a basin that was not measured. `x` increases;
/// `at` lies within it. NaN where one of the two points beside it is NaN.
std::vector<double> monotone_cubic(const std::vector<double>& x, const std::vector<double>& y,
                                   const std::vector<double>& at);

/// Returns the field at other coordinates within its own, by monotone cubics along x, then y. Within
/// a cell with a corner that is not finite, values are NaN. The result says nothing of what is to do.
FieldView resampled(const FieldView& field, const std::vector<double>& x,
                    const std::vector<double>& y);

/// Returns the axis with each interval divided evenly, so that there are at least `points`.
std::vector<double> subdivided(const std::vector<double>& axis, size_t points);

}  // namespace topograd::drawing
