// Record: the common form of every kind of result in memory. Exports, reports, plots and
// comparisons read records only, and so need no code for a new kind of result.
//
// The data model is that of netCDF and xarray: named arrays over named axes. An array without axes
// is a number or a text, with one axis a series or a column of a table, with two a grid; the array
// with an axis's name holds its coordinates.
#pragma once

#include <string>
#include <vector>

#include "kernels/core/tensor.h"
#include "landscape/results/provenance.h"

namespace topograd {

/// An array of numbers, truth values (0 and 1) or texts, row-major, with its metadata.
struct NamedArray {
  enum class Type { real, mask, text };
  enum class Style { line, dashed, points };

  std::string name;  ///< "x"; with slashes if it is in a group: "largest/values"
  Type type = Type::real;
  Shape shape{};                     ///< {}: a single value
  std::vector<double> numbers{};     ///< real values and masks
  std::vector<std::string> words{};  ///< texts
  std::vector<std::string> axes{};   ///< one axis per extent, outermost first: {"y", "x"}
  std::string unit{};                ///< "%"; empty: none, or unknown
  std::string error{};               ///< name of the array of the values' errors, same axes
  std::string mask{};                ///< name of the mask of finished values
  Style style = Style::line;         ///< style of a curve of it

  /// Returns whether it holds the coordinates of its axis.
  bool is_axis() const { return axes.size() == 1 && axes.front() == name; }
};

struct Record {
  std::string kind;         ///< "surface"
  std::string title;        ///< name to show, mostly the network's; may be empty
  Provenance provenance{};  ///< facts about what it was made from, and how
  /// Axes of the table that csv writes, one row per point; empty: one row per number of the record.
  std::vector<std::string> table{};
  std::vector<NamedArray> arrays{};
  std::string file{};  ///< file it was read from

  /// Adds an array. Throws Error if its name is empty or taken, if shape, axes and number of values
  /// do not fit together, or if an axis has another extent than in an earlier array. The reference
  /// is valid until the next addition.
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

  /// Returns the array of this name; nullptr if there is none.
  const NamedArray* find(const std::string& name) const;
  /// Returns the numbers of an array. Throws Error if there is none of this name, or it holds
  /// texts.
  const std::vector<double>& numbers(const std::string& name) const;
  /// Returns a single number; NaN if there is none of this name.
  double number(const std::string& name) const;
  /// Returns the coordinates of an axis; nullptr if it has none, or they are texts.
  const std::vector<double>* coordinates(const std::string& axis) const;
  /// Returns all arrays of exactly these axes, coordinates first.
  std::vector<const NamedArray*> over(const std::vector<std::string>& axes) const;
  /// Returns whether an array holds the errors of another.
  bool is_error(const NamedArray& array) const;

  /// Returns the record as one table of equally long columns. With `table`: the axes' coordinates,
  /// the innermost first and fastest, then every array over these axes. Without: a row for each
  /// number of every array that is no axis and no error: quantity (its array), index, at (its
  /// coordinate), value, error.
  std::vector<NamedArray> columns() const;
};

/// Makes a column of a table.
NamedArray real_column(std::string name, std::vector<double> numbers);
NamedArray text_column(std::string name, std::vector<std::string> words);

}  // namespace topograd
