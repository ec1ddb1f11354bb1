#include "landscape/plots/rescaling_plots.h"

namespace topograd {

std::vector<NamedFigure> slice_figures(const SharpnessPanel& panel) {
  std::vector<NamedFigure> figures;
  if (!panel.test) return figures;
  for (const RescaledSlice& slice : panel.test->slices) {
    FigureOptions options;
    options.title = value_of(panel.provenance, "model_name");
    options.subtitle = slice.name == "filter"
                           ? "along a filter-normalised direction of each network's own"
                           : "along one and the same direction, not normalised";
    options.x_label = "alpha";
    options.y_label = "loss";
    options.footer = panel.test->description;
    const CurveView curves{.x = slice.alpha,
                           .train_loss = slice.before,
                           .test_loss = slice.after,
                           .train_loss_name = "before",
                           .test_loss_name = "rescaled, the same function"};
    figures.push_back({slice.name, curve_figure(curves, options)});
  }
  return figures;
}

}  // namespace topograd
