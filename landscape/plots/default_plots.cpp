#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "kernels/core/check.h"
#include "kernels/core/format.h"
#include "landscape/figures/scale.h"
#include "landscape/plots/kind_plots.h"

namespace topograd {

namespace {

using Type = NamedArray::Type;

bool increases(const std::vector<double>& x) {
  return std::all_of(x.begin(), x.end(), [](double v) { return std::isfinite(v); }) &&
         std::adjacent_find(x.begin(), x.end(), std::greater_equal<>()) == x.end();
}

/// Returns where the points of an axis are drawn: at its coordinates, or at 1, 2, ... where those
/// do not increase; none for an axis of texts, or of a single point.
std::vector<double> places_along(const Record& record, const NamedArray& series) {
  const std::string& axis = series.axes.front();
  const NamedArray* found = record.find(axis);
  const auto n = static_cast<size_t>(series.shape[0]);
  if (n < 2 || (found && found->type == Type::text)) return {};
  const std::vector<double>* coordinates = record.coordinates(axis);
  if (coordinates && increases(*coordinates)) return *coordinates;
  std::vector<double> places(n);
  for (size_t i = 0; i < n; ++i) places[i] = static_cast<double>(i + 1);
  return places;
}

/// Returns "gap 0.31 ± 0.02 1/|theta|^2, probes 8".
std::string scalars_in_words(const Record& record) {
  std::string words;
  for (const NamedArray& array : record.arrays) {
    if (array.shape.rank() > 0 || array.type != Type::real || record.is_error(array)) continue;
    words += text(words.empty() ? "" : ", ", array.name, " ", significant(array.numbers[0], 4));
    if (!array.error.empty()) words += text(" ± ", significant(record.number(array.error), 2));
    if (!array.unit.empty()) words += " " + array.unit;
  }
  return words;
}

std::string as_file_name(std::string name) {
  if (const size_t percent = name.find('%'); percent != name.npos)
    name.replace(percent, 1, "percent");
  std::replace_if(
      name.begin(), name.end(), [](unsigned char c) { return !std::isalnum(c) && c != '-'; }, '_');
  return name;
}

FigureOptions default_options(const Record& record, const PictureOptions& options) {
  FigureOptions figure = curve_options(record, options, Scale::linear);
  if (figure.title.empty()) figure.title = record.kind;
  figure.subtitle = options.title.empty() && record.title.empty() ? "" : record.kind;
  figure.note = drawing::with_minuses(scalars_in_words(record));
  figure.footer = value_of(record.provenance, "command");
  return figure;
}

Series series_of(const Record& record, const NamedArray& array) {
  Series series{.name = array.name, .values = array.numbers, .style = Series::Style::coloured};
  if (!array.error.empty()) series.errors = record.numbers(array.error);
  return series;
}

}  // namespace

FigureOptions curve_options(const Record& record, const PictureOptions& options, Scale scale) {
  FigureOptions figure = options.look;
  figure.title = options.title.empty() ? record.title : options.title;
  figure.scale = options.scale.value_or(scale);
  figure.level_min = options.value_min;
  figure.level_max = options.value_max;
  return figure;
}

std::vector<NamedFigure> default_figures(const Record& record, const PictureOptions& options) {
  std::map<std::pair<std::string, std::string>, CurveView> by_axis_and_unit;
  std::vector<NamedFigure> figures;
  for (const NamedArray& array : record.arrays) {
    if (array.type != Type::real || array.is_axis() || record.is_error(array)) continue;
    if (array.shape.rank() == 1) {
      const std::vector<double> places = places_along(record, array);
      if (places.empty()) continue;
      CurveView& curves = by_axis_and_unit[{array.axes[0], array.unit}];
      curves.x = places;
      curves.series.push_back(series_of(record, array));
    }
    if (array.shape.rank() != 2) continue;
    const auto *y = record.coordinates(array.axes[0]), *x = record.coordinates(array.axes[1]);
    if (!x || !y || x->size() < 2 || y->size() < 2 || !increases(*x) || !increases(*y)) continue;
    FigureOptions figure = default_options(record, options);
    figure.marks.origin = {};  // whatever (0, 0) is
    figure.x_label = array.axes[1];
    figure.y_label = array.axes[0];
    figure.value_label = array.unit.empty() ? array.name : text(array.name, " (", array.unit, ")");
    figures.push_back({as_file_name(array.name), heat_map_figure({*x, *y, array.numbers}, figure)});
  }
  for (const auto& [axis_and_unit, curves] : by_axis_and_unit) {
    const auto& [axis, unit] = axis_and_unit;
    FigureOptions figure = default_options(record, options);
    figure.x_label = axis;
    figure.y_label = curves.series.size() == 1 ? curves.series.front().name : record.kind;
    if (!unit.empty()) figure.y_label += text(" (", unit, ")");
    const std::string name = as_file_name(axis + (unit.empty() ? "" : "_" + unit));
    figures.push_back({name, curve_figure(curves, figure)});
  }
  return figures;
}

}  // namespace topograd
