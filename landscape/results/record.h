// Record: the one form that every kind of result takes in memory. Exports, reports, plots and
// comparisons read records alone, and so know a kind of result that was never written for them.
//
// The model is that of netCDF and xarray: named arrays over named axes. An array of no axis is a
// number or a text, of one axis a series or a column of a table, of two a grid; the array that has
// an axis's own name holds its coordinates.
#pragma once

#include <string>
#include <vector>

#include "kernels/core/tensor.h"
#include "landscape/results/provenance.h"

namespace topograd {

/// Numbers, truth values (0 and 1) or texts, row after row, with what belongs to them.
struct NamedArray {
  enum class Type { real, mask, text };
  enum class Style { line, dashed, points };

  std::string name;  ///< "x"; with slashes where it lies in a group: "largest/values"
  Type type = Type::real;
  Shape shape{};                     ///< {}: a single value
  std::vector<double> numbers{};     ///< real values and masks
  std::vector<std::string> words{};  ///< texts
  std::vector<std::string> axes{};   ///< an axis for each extent, outermost first: {"y", "x"}
  std::string unit{};                ///< "%"; empty: none, or not said
  std::string error{};               ///< the array of these values' errors, of the same axes
  std::string mask{};                ///< the array that says which of these values are done
  Style style = Style::line;         ///< how a curve of it is drawn

  /// Whether it holds the coordinates of its axis.
  bool is_axis() const { return axes.size() == 1 && axes.front() == name; }
};

struct Record {
  std::string kind;         ///< "surface"
  std::string title;        ///< a name for people, the network's mostly; may be empty
  Provenance provenance{};  ///< what it was made from, and how
  /// The axes of the table that csv writes, a row a point; none: a row for each number of the
  /// record.
  std::vector<std::string> table{};
  std::vector<NamedArray> arrays{};
  std::string file{};  ///< what it was read from

  /// Adds an array. Throws Error where its name is empty or taken, where shape, axes and number of
  /// values do not fit together, and where an axis has another extent than in an array before.
  /// The reference is valid until the next addition.
  NamedArray& add(NamedArray array);
  NamedArray& add_number(const std::string& name, double value);
  NamedArray& add_text(const std::string& name, const std::string& value);
  /// Adds values along an axis.
  NamedArray& add_series(const std::string& name, const std::string& axis,
                         std::vector<double> values);
  NamedArray& add_words(const std::string& name, const std::string& axis,
                        std::vector<std::string> words);
  /// Adds truth values of any axes.
  NamedArray& add_mask(const std::string& name, std::vector<std::string> axes, Shape shape,
                       const std::vector<uint8_t>& values);

  /// The array of this name; nullptr where there is none.
  const NamedArray* find(const std::string& name) const;
  /// The numbers of an array. Throws Error where there is none of this name, or it holds texts.
  const std::vector<double>& numbers(const std::string& name) const;
  /// A single number; NaN where there is none of this name.
  double number(const std::string& name) const;
  /// The coordinates of an axis; nullptr where it has none, or they are texts.
  const std::vector<double>* coordinates(const std::string& axis) const;
  /// All arrays of exactly these axes, coordinates first.
  std::vector<const NamedArray*> over(const std::vector<std::string>& axes) const;
  /// Whether an array holds the errors of another.
  bool is_error(const NamedArray& array) const;

  /// The record as one table of equally long columns. With `table`: the axes' coordinates, the
  /// innermost first and fastest, then every array over these axes. Without: a row for each number
  /// of every array that is no axis and no error: quantity (its array), index, at (its coordinate),
  /// value, error.
  std::vector<NamedArray> columns() const;
};

/// A column of a table.
NamedArray real_column(std::string name, std::vector<double> numbers);
NamedArray text_column(std::string name, std::vector<std::string> words);

}  // namespace topograd
