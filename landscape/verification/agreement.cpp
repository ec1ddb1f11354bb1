#include "landscape/verification/agreement.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>

#include "kernels/core/check.h"
#include "kernels/core/format.h"

namespace topograd {

namespace {

/// Compares two records of one result.
class Comparison {
 public:
  Comparison(const Record& stated, const Record& found, const PointSample* sample, double tolerance)
      : stated_(stated), found_(found), sample_(sample), tolerance_(tolerance) {}

  Agreement run() {
    for (const NamedArray& array : stated_.arrays) {
      const NamedArray* again = found_.find(array.name);
      if (array.type != NamedArray::Type::real || again == nullptr ||
          again->type != NamedArray::Type::real || again->axes != array.axes)
        continue;
      compare(array, *again);
    }
    return result_;
  }

 private:
  /// Returns, for each place on an axis of the stated record, its place in the other one; -1 where
  /// there is none.
  std::vector<int64_t> places(const std::string& axis, int64_t stated_extent,
                              int64_t found_extent) const {
    const NamedArray *a = stated_.find(axis), *b = found_.find(axis);
    std::vector<int64_t> result;
    for (int64_t i = 0; i < stated_extent; ++i) {
      int64_t place = i < found_extent ? i : -1;
      const auto at = static_cast<size_t>(i);
      if (a != nullptr && b != nullptr && a->is_axis() && a->type == NamedArray::Type::text) {
        const auto found = std::find(b->words.begin(), b->words.end(), a->words.at(at));
        place = found == b->words.end() ? -1 : found - b->words.begin();
      }
      result.push_back(place);
    }
    return result;
  }

  /// Returns whether a number is to be compared; `index` is its place among the array's.
  bool counts(const NamedArray& array, size_t index) const {
    if (sample_ != nullptr) {
      const auto points = sample_->find(array.mask);
      return points != sample_->end() &&
             std::binary_search(points->second.begin(), points->second.end(),
                                static_cast<int64_t>(index));
    }
    const NamedArray* mask = stated_.find(array.mask);
    return mask == nullptr || mask->numbers.at(index) != 0;
  }

  void compare(const NamedArray& array, const NamedArray& again) {
    double largest = 0;
    for (const double value : array.numbers)
      if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
    std::vector<std::vector<int64_t>> places_of_axis;
    for (int axis = 0; axis < array.shape.rank(); ++axis)
      places_of_axis.push_back(
          places(array.axes[static_cast<size_t>(axis)], array.shape[axis], again.shape[axis]));
    for (size_t index = 0; index < array.numbers.size(); ++index) {
      if (!counts(array, index)) continue;
      int64_t rest = static_cast<int64_t>(index), other = 0, stride = 1;
      for (int axis = array.shape.rank() - 1; axis >= 0 && other >= 0; --axis) {
        const int64_t place = places_of_axis[static_cast<size_t>(axis)]
                                            [static_cast<size_t>(rest % array.shape[axis])];
        rest /= array.shape[axis];
        other = place < 0 ? -1 : other + stride * place;
        stride *= again.shape[axis];
      }
      if (other < 0) continue;
      enter(array, index, largest, again.numbers.at(static_cast<size_t>(other)));
    }
  }

  void enter(const NamedArray& array, size_t index, double largest, double found) {
    const double stated = array.numbers[index];
    ++result_.numbers;
    if (std::bit_cast<uint64_t>(stated) == std::bit_cast<uint64_t>(found) ||
        (std::isnan(stated) && std::isnan(found)) || stated == found) {
      ++result_.same_bits;
      return;
    }
    const double size = std::max(std::abs(stated), std::abs(found));
    const double difference = std::abs(stated - found);
    const bool comparable = std::isfinite(stated) && std::isfinite(found);
    if (comparable && difference <= allowed(array, std::max(size, scale_of(array, largest)))) {
      result_.largest_difference = std::max(result_.largest_difference, difference / size);
      return;
    }
    result_.deviating.push_back({array.name, where(array, index), stated, found});
  }

  double scale_of(const NamedArray& array, double largest) const {
    return stated_.kind == "curvature" && !array.axes.empty() ? largest : 0;
  }

  double allowed(const NamedArray& array, double size) const {
    if (array.name.ends_with("_correct")) return 1;
    const double relative = tolerance_ * size;
    if (!array.name.ends_with("_acc")) return relative;
    const double images = std::strtod(value_of(stated_.provenance, "images").c_str(), nullptr);
    return images > 0 ? std::max(relative, 100 / images * (1 + 1e-9)) : relative;
  }

  std::string where(const NamedArray& array, size_t index) const {
    std::string shown;
    int64_t rest = static_cast<int64_t>(index);
    for (int axis = array.shape.rank() - 1; axis >= 0; --axis) {
      const std::string& name = array.axes[static_cast<size_t>(axis)];
      const auto at = static_cast<size_t>(rest % array.shape[axis]);
      rest /= array.shape[axis];
      const NamedArray* coordinates = stated_.find(name);
      std::string place = text("number ", at + 1);
      if (coordinates != nullptr && coordinates->is_axis())
        place = coordinates->type == NamedArray::Type::text
                    ? coordinates->words[at]
                    : text("= ", significant(coordinates->numbers[at]));
      shown += text(shown.empty() ? "" : ", ", name, ' ', place);
    }
    return shown;
  }

  const Record &stated_, &found_;
  const PointSample* sample_;
  double tolerance_;
  Agreement result_;
};

}  // namespace

Agreement agreement_of(const Record& stated, const Record& found, const PointSample* sample,
                       double tolerance) {
  require(stated.kind == found.kind, stated.file, " is of the kind ", stated.kind,
          ", what its command makes of the kind ", found.kind);
  return Comparison(stated, found, sample, tolerance).run();
}

}  // namespace topograd
