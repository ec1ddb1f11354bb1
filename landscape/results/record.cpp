#include "landscape/results/record.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "kernels/core/check.h"
#include "kernels/core/numbers.h"

namespace topograd {

namespace {

/// Returns the extent of an axis in the arrays so far; -1 if none has it.
int64_t extent_of(const Record& record, const std::string& axis) {
  for (const NamedArray& array : record.arrays)
    for (size_t i = 0; i < array.axes.size(); ++i)
      if (array.axes[i] == axis) return array.shape[static_cast<int>(i)];
  return -1;
}

/// Returns the coordinates of an axis along rows of a table, each repeated `stride` times.
NamedArray repeated(const NamedArray& axis, int64_t rows, int64_t stride) {
  NamedArray column{.name = axis.name, .type = axis.type, .shape = {rows}};
  for (int64_t row = 0; row < rows; ++row) {
    const auto i = static_cast<size_t>(row / stride % axis.shape.size());
    if (axis.type == NamedArray::Type::text)
      column.words.push_back(axis.words[i]);
    else
      column.numbers.push_back(axis.numbers[i]);
  }
  return column;
}

std::vector<NamedArray> columns_over(const Record& record, const std::vector<std::string>& axes) {
  std::vector<NamedArray> columns;
  int64_t rows = 1;
  for (const std::string& axis : axes) rows *= std::max<int64_t>(0, extent_of(record, axis));
  int64_t stride = 1;
  for (auto axis = axes.rbegin(); axis != axes.rend(); ++axis) {
    const NamedArray* coordinates = record.find(*axis);
    if (coordinates && coordinates->is_axis())
      columns.push_back(repeated(*coordinates, rows, stride));
    stride *= std::max<int64_t>(1, extent_of(record, *axis));
  }
  for (const NamedArray* array : record.over(axes)) {
    if (array->is_axis()) continue;
    columns.push_back(*array);
    columns.back().shape = {rows};
  }
  return columns;
}

std::vector<NamedArray> rows_of_numbers(const Record& record) {
  std::vector<std::string> quantity;
  std::vector<double> index, at, value, error;
  for (const NamedArray& array : record.arrays) {
    if (array.type == NamedArray::Type::text || array.is_axis() || record.is_error(array)) continue;
    const auto* coordinates = array.axes.size() == 1 ? record.coordinates(array.axes[0]) : nullptr;
    const NamedArray* errors = record.find(array.error);
    for (size_t i = 0; i < array.numbers.size(); ++i) {
      quantity.push_back(array.name);
      index.push_back(static_cast<double>(i));
      at.push_back(coordinates ? (*coordinates)[i] : kNaN);
      value.push_back(array.numbers[i]);
      error.push_back(errors ? errors->numbers.at(i) : kNaN);
    }
  }
  return {text_column("quantity", quantity), real_column("index", index), real_column("at", at),
          real_column("value", value), real_column("error", error)};
}

}  // namespace

NamedArray real_column(std::string name, std::vector<double> numbers) {
  const Shape shape{static_cast<int64_t>(numbers.size())};
  return {.name = std::move(name), .shape = shape, .numbers = std::move(numbers)};
}

NamedArray text_column(std::string name, std::vector<std::string> words) {
  const Shape shape{static_cast<int64_t>(words.size())};
  return {.name = std::move(name),
          .type = NamedArray::Type::text,
          .shape = shape,
          .words = std::move(words)};
}

NamedArray& Record::add(NamedArray array) {
  require(!array.name.empty(), "an array of a record has no name");
  require(!find(array.name), "two arrays of a record are called '", array.name, "'");
  const bool is_text = array.type == NamedArray::Type::text;
  const size_t values = is_text ? array.words.size() : array.numbers.size();
  require(static_cast<int64_t>(values) == array.shape.size(), array.name, " has ", values,
          " values for the shape ", array.shape);
  require(static_cast<int>(array.axes.size()) == array.shape.rank(), array.name, " has ",
          array.axes.size(), " axes for the shape ", array.shape);
  for (size_t i = 0; i < array.axes.size(); ++i) {
    const int64_t here = array.shape[static_cast<int>(i)];
    const int64_t known = extent_of(*this, array.axes[i]);
    require(known < 0 || known == here, array.name, " has ", here, " values along ", array.axes[i],
            ", which has ", known);
  }
  return arrays.emplace_back(std::move(array));
}

NamedArray& Record::add_number(const std::string& name, double value) {
  return add({.name = name, .numbers = {value}});
}

NamedArray& Record::add_text(const std::string& name, const std::string& value) {
  return add({.name = name, .type = NamedArray::Type::text, .words = {value}});
}

NamedArray& Record::add_series(const std::string& name, const std::string& axis,
                               std::vector<double> values) {
  NamedArray series = real_column(name, std::move(values));
  series.axes = {axis};
  return add(std::move(series));
}

NamedArray& Record::add_words(const std::string& name, const std::string& axis,
                              std::vector<std::string> words) {
  NamedArray series = text_column(name, std::move(words));
  series.axes = {axis};
  return add(std::move(series));
}

NamedArray& Record::add_mask(const std::string& name, std::vector<std::string> axes, Shape shape,
                             const std::vector<uint8_t>& values) {
  return add({.name = name,
              .type = NamedArray::Type::mask,
              .shape = shape,
              .numbers = {values.begin(), values.end()},
              .axes = std::move(axes)});
}

const NamedArray* Record::find(const std::string& name) const {
  const auto found = std::find_if(arrays.begin(), arrays.end(),
                                  [&](const NamedArray& array) { return array.name == name; });
  return found == arrays.end() ? nullptr : &*found;
}

const std::vector<double>& Record::numbers(const std::string& name) const {
  const NamedArray* array = find(name);
  require(array && array->type != NamedArray::Type::text, file, file.empty() ? "" : ": ",
          "there are no numbers called '", name, "'");
  return array->numbers;
}

double Record::number(const std::string& name) const {
  const NamedArray* array = find(name);
  return array && array->numbers.size() == 1 ? array->numbers.front()
                                             : std::numeric_limits<double>::quiet_NaN();
}

const std::vector<double>* Record::coordinates(const std::string& axis) const {
  const NamedArray* array = find(axis);
  return array && array->is_axis() && array->type == NamedArray::Type::real ? &array->numbers
                                                                            : nullptr;
}

std::vector<const NamedArray*> Record::over(const std::vector<std::string>& axes) const {
  std::vector<const NamedArray*> found;
  for (const NamedArray& array : arrays)
    if (array.axes == axes) found.push_back(&array);
  std::stable_partition(found.begin(), found.end(),
                        [](const NamedArray* array) { return array->is_axis(); });
  return found;
}

std::vector<NamedArray> Record::columns() const {
  return table.empty() ? rows_of_numbers(*this) : columns_over(*this, table);
}

bool Record::is_error(const NamedArray& array) const {
  return std::any_of(arrays.begin(), arrays.end(),
                     [&](const NamedArray& other) { return other.error == array.name; });
}

}  // namespace topograd
