#include "kernels/core/check.h"
#include "landscape/plots/kind_plots.h"
#include "landscape/results/result_names.h"

namespace topograd {

std::vector<NamedFigure> slice_figures(const Record& record, const PictureOptions& options) {
  std::vector<NamedFigure> figures;
  for (const std::string name : {"filter", "plain"}) {
    const std::string in = text("rescaled/slices/", name, "/");
    if (!record.find(in + "alpha")) continue;
    FigureOptions figure = curve_options(record, options, Scale::linear);
    if (options.title.empty()) figure.title = title_of(record.provenance);
    figure.subtitle = name == "filter" ? "along a filter-normalised direction of each network's own"
                                       : "along one and the same direction, not normalised";
    figure.x_label = "alpha";
    figure.y_label = "loss";
    const NamedArray* description = record.find("rescaled/description");
    if (description) figure.footer = description->words.front();
    const CurveView curves{.x = record.numbers(in + "alpha"),
                           .series = {{.name = "before", .values = record.numbers(in + "before")},
                                      {.name = "rescaled, the same function",
                                       .values = record.numbers(in + "after"),
                                       .style = Series::Style::dashed}}};
    figures.push_back({name, curve_figure(curves, figure)});
  }
  return figures;
}

}  // namespace topograd
