#include "landscape/figures/fine_field.h"

#include <algorithm>
#include <cmath>

#include "kernels/core/numbers.h"

namespace topograd::drawing {

namespace {

/// Returns the slopes at points of a line: harmonic means of the neighbouring differences.
std::vector<double> slopes(const std::vector<double>& x, const std::vector<double>& y) {
  const size_t n = x.size();
  const auto rise = [&](size_t i) { return (y[i + 1] - y[i]) / (x[i + 1] - x[i]); };
  std::vector<double> result(n);
  for (size_t i = 0; i < n; ++i) {
    const double before = i > 0 ? rise(i - 1) : kNaN;
    const double after = i + 1 < n ? rise(i) : kNaN;
    if (!std::isfinite(before) || !std::isfinite(after)) {
      result[i] = std::isfinite(after) ? after : std::isfinite(before) ? before : 0;
    } else if (before * after <= 0) {
      result[i] = 0;
    } else {
      const double h = x[i] - x[i - 1], g = x[i + 1] - x[i];
      result[i] = 3 * (h + g) / ((2 * g + h) / before + (g + 2 * h) / after);
    }
  }
  return result;
}

}  // namespace

std::vector<double> monotone_cubic(const std::vector<double>& x, const std::vector<double>& y,
                                   const std::vector<double>& at) {
  const std::vector<double> slope = slopes(x, y);
  std::vector<double> result;
  result.reserve(at.size());
  for (double place : at) {
    const auto above = std::upper_bound(x.begin() + 1, x.end() - 1, place);
    const size_t i = static_cast<size_t>(above - x.begin()) - 1;
    const double h = x[i + 1] - x[i], t = (place - x[i]) / h;
    if (t == 0 || t == 1) {  // a point itself needs no neighbour
      result.push_back(t == 0 ? y[i] : y[i + 1]);
      continue;
    }
    const double u = 1 - t;
    result.push_back((1 + 2 * t) * u * u * y[i] + t * u * u * h * slope[i] +
                     t * t * (3 - 2 * t) * y[i + 1] - t * t * u * h * slope[i + 1]);
  }
  return result;
}

FieldView resampled(const FieldView& field, const std::vector<double>& x,
                    const std::vector<double>& y) {
  std::vector<std::vector<double>> rows;
  for (size_t row = 0; row < field.y.size(); ++row) {
    const auto begin = field.values.begin() + static_cast<ptrdiff_t>(row * field.x.size());
    rows.push_back(
        monotone_cubic(field.x, {begin, begin + static_cast<ptrdiff_t>(field.x.size())}, x));
  }
  FieldView fine{x, y, std::vector<double>(x.size() * y.size())};
  for (size_t column = 0; column < x.size(); ++column) {
    std::vector<double> values;
    for (const std::vector<double>& row : rows) values.push_back(row[column]);
    const std::vector<double> along = monotone_cubic(field.y, values, y);
    for (size_t row = 0; row < y.size(); ++row) fine.values[row * x.size() + column] = along[row];
  }
  return fine;
}

std::vector<double> subdivided(const std::vector<double>& axis, size_t points) {
  const size_t intervals = axis.size() - 1, pieces = std::max<size_t>(1, points / intervals);
  std::vector<double> fine;
  for (size_t i = 0; i < intervals; ++i)
    for (size_t k = 0; k < pieces; ++k)
      fine.push_back(
          std::lerp(axis[i], axis[i + 1], static_cast<double>(k) / static_cast<double>(pieces)));
  fine.push_back(axis.back());
  return fine;
}

}  // namespace topograd::drawing
