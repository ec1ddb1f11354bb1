#include "landscape/results/record_comparison.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/core/check.h"

namespace topograd {

namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

using Values = std::vector<double>;

ValueSummary summary_of(const Values& values, const std::vector<size_t>& points) {
  if (points.empty()) return {kNone, kNone, kNone};
  ValueSummary summary{values[points.front()], values[points.front()], 0};
  for (size_t i : points) {
    summary.min = std::min(summary.min, values[i]);
    summary.max = std::max(summary.max, values[i]);
    summary.mean += values[i];
  }
  summary.mean /= static_cast<double>(points.size());
  return summary;
}

/// Returns the largest finite difference(i) over the points.
template <class Difference>
LargestDifference largest(const std::vector<size_t>& points, Difference difference) {
  LargestDifference found;
  for (size_t i : points) {
    const double value = difference(i);
    if (std::isfinite(value) && (found.point < 0 || value > found.value))
      found = {value, static_cast<int64_t>(i)};
  }
  return found;
}

double correlation_of(const Values& a, const Values& b, const ValueSummary& of_a,
                      const ValueSummary& of_b, const std::vector<size_t>& points) {
  double ab = 0, aa = 0, bb = 0;
  for (size_t i : points) {
    const double da = a[i] - of_a.mean, db = b[i] - of_b.mean;
    ab += da * db;
    aa += da * da;
    bb += db * db;
  }
  return aa > 0 && bb > 0 ? ab / (std::sqrt(aa) * std::sqrt(bb)) : kNone;
}

bool nearly_equal(const Values& a, const Values& b) {
  double scale = 0;
  for (double v : a) scale = std::max(scale, std::abs(v));
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](double x, double y) { return std::abs(x - y) <= 1e-12 * scale; });
}

/// Returns the numbers of `name` if they have the axes of `like`; else nullptr.
const Values* numbers_like(const Record& record, const std::string& name, const NamedArray& like) {
  const NamedArray* found = record.find(name);
  const bool fits = found && found->type != NamedArray::Type::text && found->axes == like.axes;
  return fits ? &found->numbers : nullptr;
}

const Values* errors_of(const Record& record, const NamedArray& array) {
  const Values* errors = numbers_like(record, array.name + "_se", array);
  return errors ? errors : numbers_like(record, array.error, array);
}

bool is_done(const Record& record, const NamedArray& array, size_t point) {
  const Values* done = numbers_like(record, array.mask, array);
  return !done || (*done)[point] != 0;
}

ArrayComparison compare_array(const Record& a, const NamedArray& in_a, const Record& b,
                              const NamedArray& in_b) {
  const Values &va = in_a.numbers, &vb = in_b.numbers;
  ArrayComparison result;
  result.name = in_a.name;
  std::vector<size_t> points;
  for (size_t i = 0; i < va.size(); ++i) {
    if (!is_done(a, in_a, i) || !is_done(b, in_b, i)) continue;
    if (std::isfinite(va[i]) && std::isfinite(vb[i]))
      points.push_back(i);
    else
      ++result.not_finite;
  }
  result.points = static_cast<int64_t>(points.size());
  result.a = summary_of(va, points);
  result.b = summary_of(vb, points);
  const auto difference = [&](size_t i) { return std::abs(vb[i] - va[i]); };
  result.absolute = largest(points, difference);
  // largest() skips 0 / 0 and x / 0, which are not finite.
  result.relative = largest(points, [&](size_t i) { return difference(i) / std::abs(va[i]); });
  const Values *ea = errors_of(a, in_a), *eb = errors_of(b, in_b);
  if (ea && eb)
    result.errors =
        largest(points, [&](size_t i) { return difference(i) / std::hypot((*ea)[i], (*eb)[i]); });
  result.correlation = correlation_of(va, vb, result.a, result.b, points);
  return result;
}

}  // namespace

bool same_axis(const Record& a, const Record& b, const std::string& axis) {
  const NamedArray *in_a = a.find(axis), *in_b = b.find(axis);
  const bool known_a = in_a && in_a->is_axis(), known_b = in_b && in_b->is_axis();
  if (!known_a || !known_b) return known_a == known_b;
  return in_a->words == in_b->words && nearly_equal(in_a->numbers, in_b->numbers);
}

std::vector<ArrayComparison> compare_records(const Record& a, const Record& b) {
  const auto same = [&](const std::vector<std::string>& axes) {
    return std::all_of(axes.begin(), axes.end(),
                       [&](const std::string& axis) { return same_axis(a, b, axis); });
  };
  require(a.table == b.table && same(a.table),
          "records with tables over different points cannot be compared");
  std::vector<ArrayComparison> comparisons;
  for (const NamedArray& array : a.arrays) {
    const NamedArray* other = b.find(array.name);
    if (array.type != NamedArray::Type::real || array.is_axis() || !other) continue;
    if (other->type == array.type && other->axes == array.axes && other->shape == array.shape &&
        same(array.axes))
      comparisons.push_back(compare_array(a, array, b, *other));
  }
  return comparisons;
}

}  // namespace topograd
