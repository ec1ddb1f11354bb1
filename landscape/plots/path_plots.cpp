#include "landscape/plots/path_plots.h"

#include "kernels/core/check.h"

namespace topograd {

namespace {

/// As short as five of them below a picture have to be: "aligned (recompute)".
std::string label_of(const std::string& key) {
  const size_t slash = key.find('/');
  const std::string bn = key.substr(slash + 1);
  return key.substr(0, slash) + (bn == "none" ? "" : " (" + bn + ")");
}

}  // namespace

std::vector<NamedFigure> path_figures(const ConnectivityResults& results) {
  const Provenance& p = results.provenance;
  std::vector<NamedFigure> figures;
  for (const std::string set : {"train", "test"}) {
    CurveView curves;
    curves.x = results.t;
    for (const std::string& key : complete_paths(results))
      if (results.paths.at(key).values.contains(set + "_loss"))
        curves.more.push_back({label_of(key), results.paths.at(key).values.at(set + "_loss")});
    if (curves.more.empty()) continue;
    FigureOptions figure;
    figure.title = value_of(p, "model_name");
    figure.subtitle = text("from ", value_of(p, "model_file"), " (t = 0) to ",
                           value_of(p, "to_model_file"), " (t = 1)");
    const bool none = results.paths.contains("line/none");
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
