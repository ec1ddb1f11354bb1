#include <algorithm>

#include "kernels/core/check.h"
#include "landscape/figures/scale.h"
#include "landscape/plots/kind_plots.h"

namespace topograd {

namespace {

/// Returns "largest eigenvalue 179, smallest −12.3, trace 1241 ± 35".
std::string eigenvalues_in_words(const Record& record) {
  std::string words;
  const auto add = [&](const std::string& name, const std::string& value) {
    words += (words.empty() ? "" : ", ") + name + " " + value;
  };
  for (const auto& [end, name] :
       {std::pair{"largest", "largest eigenvalue"}, {"smallest", "smallest"}})
    if (const NamedArray* values = record.find(text(end, "/values"));
        values && !values->numbers.empty())
      add(name, drawing::format_number(values->numbers.front(), 4));
  if (record.find("trace/value"))
    add("trace", text(drawing::format_number(record.number("trace/value"), 4), " ± ",
                      drawing::format_number(record.number("trace/standard_error"), 2)));
  return words;
}

size_t probes_of(const Record& record) {
  size_t probes = 0;
  while (record.find(text("density/probes/", probes, "/values"))) ++probes;
  return probes;
}

FigureOptions spectrum_options(const Record& record, const PictureOptions& options, Scale scale) {
  const Provenance& p = record.provenance;
  FigureOptions figure = curve_options(record, options, scale);
  figure.subtitle = text(value_of(p, "curvature"), " over ", value_of(p, "images"), " ",
                         value_of(p, "data"), " images, BatchNorm ", value_of(p, "bn_mode"));
  figure.note = eigenvalues_in_words(record);
  return figure;
}

/// Draws the eigenvalues at both ends of the spectrum over their ranks; nothing where there are
/// none.
std::vector<NamedFigure> eigenvalue_figures(const Record& record, const PictureOptions& options) {
  CurveView curves{.error_name = "residual", .mark = CurveView::Extreme::none, .points_only = true};
  size_t most = 0;
  for (const std::string end : {"largest", "smallest"})
    if (const NamedArray* values = record.find(end + "/values"); values && !values->numbers.empty())
      most = std::max(most, values->numbers.size());
  if (most == 0) return {};
  // An axis needs two places.
  for (size_t rank = 1; rank <= std::max<size_t>(most, 2); ++rank)
    curves.x.push_back(static_cast<double>(rank));
  for (const std::string end : {"largest", "smallest"}) {
    const NamedArray* values = record.find(end + "/values");
    if (!values || values->numbers.empty()) continue;
    const auto count = static_cast<ptrdiff_t>(values->numbers.size());
    curves.series.push_back({.name = end,
                             .values = values->numbers,
                             .style = Series::Style::coloured,
                             .x = {curves.x.begin(), curves.x.begin() + count}});
  }
  FigureOptions figure = spectrum_options(record, options, Scale::linear);
  figure.x_label = "rank";
  figure.y_label = "eigenvalue";
  figure.footer = text("Topograd ", value_of(record.provenance, "version"));
  return {{"eigenvalues", curve_figure(curves, figure)}};
}

}  // namespace

std::vector<NamedFigure> density_figures(const Record& record, const PictureOptions& options) {
  if (!record.find("density/density")) return eigenvalue_figures(record, options);
  const Provenance& p = record.provenance;
  const std::vector<double>& density = record.numbers("density/density");
  FigureOptions figure = spectrum_options(record, options, Scale::log);
  figure.x_label = "eigenvalue";
  figure.y_label = "density";
  figure.footer = text("stochastic Lanczos quadrature, ", probes_of(record),
                       " probes, each value widened to a deviation of ",
                       drawing::format_number(record.number("density/sigma"), 2), "; Topograd ",
                       value_of(p, "version"));
  // Densities below a millionth of the highest are tails of the smoothing Gaussians, not measured.
  double highest = 0;
  for (double d : density) highest = std::max(highest, d);
  if (figure.scale == Scale::log && !figure.level_min && highest > 0)
    figure.level_min = 1e-6 * highest;
  const CurveView curves{.x = record.numbers("density/at"),
                         .series = {{.name = "density of eigenvalues",
                                     .values = density,
                                     .errors = record.numbers("density/standard_error")}},
                         .error_name = "standard error over the probes",
                         .mark = CurveView::Extreme::none};
  return {{"density", curve_figure(curves, figure)}};
}

}  // namespace topograd
