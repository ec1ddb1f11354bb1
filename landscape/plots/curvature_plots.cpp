#include <algorithm>

#include "kernels/core/check.h"
#include "kernels/core/format.h"
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
      add(name, significant(values->numbers.front(), 4));
  if (record.find("trace/value"))
    add("trace", text(significant(record.number("trace/value"), 4), " ± ",
                      significant(record.number("trace/standard_error"), 2)));
  return words;
}

size_t probes_of(const Record& record) {
  size_t probes = 0;
  while (record.find(text("density/probes/", probes, "/values"))) ++probes;
  return probes;
}

}  // namespace

std::vector<NamedFigure> density_figures(const Record& record, const PictureOptions& options) {
  if (!record.find("density/density")) return {};
  const Provenance& p = record.provenance;
  const std::vector<double>& density = record.numbers("density/density");
  FigureOptions figure = curve_options(record, options, Scale::log);
  figure.subtitle = text(value_of(p, "curvature"), " over ", value_of(p, "images"), " ",
                         value_of(p, "data"), " images, BatchNorm ", value_of(p, "bn_mode"));
  figure.note = eigenvalues_in_words(record);
  figure.x_label = "eigenvalue";
  figure.y_label = "density";
  figure.footer =
      text("stochastic Lanczos quadrature, ", probes_of(record),
           " probes, each value widened to a deviation of ",
           significant(record.number("density/sigma"), 2), "; Topograd ", value_of(p, "version"));
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
                         .mark_minimum = false};
  return {{"density", curve_figure(curves, figure)}};
}

}  // namespace topograd
