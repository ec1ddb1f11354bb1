#include <algorithm>

#include "kernels/core/check.h"
#include "landscape/plots/kind_plots.h"
#include "landscape/results/result_names.h"

namespace topograd {

namespace {

/// Returns a path's name, short enough for five below a picture: "aligned (recompute)".
std::string label_of(const std::string& kind, const std::string& bn) {
  return kind + (bn == "none" ? "" : " (" + bn + ")");
}

bool is_complete(const Record& record, const NamedArray& values) {
  const std::vector<double>& done = record.numbers(values.mask);
  return std::all_of(done.begin(), done.end(), [](double d) { return d != 0; });
}

}  // namespace

std::vector<NamedFigure> path_figures(const Record& record, const PictureOptions& options) {
  const Provenance& p = record.provenance;
  std::vector<NamedFigure> figures;
  for (const std::string set : {"train", "test"}) {
    CurveView curves;
    curves.x = record.numbers("t");
    bool none = false;
    for (const std::string kind : {"line", "aligned", "curve"})
      for (const std::string bn : {"states", "recompute", "none"}) {
        const NamedArray* loss = record.find(text("paths/", kind, "/", bn, "/", set, "_loss"));
        if (!loss || !is_complete(record, *loss)) continue;
        curves.series.push_back({.name = label_of(kind, bn),
                                 .values = loss->numbers,
                                 .style = Series::Style::coloured});
        none = none || bn == "none";
      }
    if (curves.series.empty()) continue;
    FigureOptions figure = curve_options(record, options, Scale::linear);
    if (options.title.empty()) figure.title = title_of(p);
    figure.subtitle = text("from ", value_of(p, "model_file"), " (t = 0) to ",
                           value_of(p, "to_model_file"), " (t = 1)");
    figure.x_label = none ? "t" : "t (in brackets: BatchNorm's statistics)";
    figure.y_label = text(set, " loss, ", value_of(p, "loss"));
    figure.footer =
        text("models ", value_of(p, "model_hash"), " and ", value_of(p, "to_model_hash"), "  data ",
             value_of(p, "data_hash"), "  Topograd ", value_of(p, "version"));
    figures.push_back({set + "_loss", curve_figure(curves, figure)});
  }
  return figures;
}

}  // namespace topograd
