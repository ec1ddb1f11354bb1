#include <cmath>
#include <map>
#include <set>

#include "kernels/core/check.h"
#include "landscape/plots/kind_plots.h"

namespace topograd {

namespace {

/// Returns the networks' rows, sorted by epoch, then by name.
using Epochs = std::map<double, std::map<std::string, size_t>>;

Figure over_epochs(const Epochs& epochs, const std::set<std::string>& names, const Record& record,
                   const PictureOptions& options, const std::string& quantity,
                   const std::string& label) {
  const std::vector<double>& values = record.numbers(quantity);
  CurveView curves;
  for (const auto& [epoch, rows] : epochs) curves.x.push_back(epoch);
  for (const std::string& name : names) {
    Series series{.name = name, .values = {}, .style = Series::Style::coloured};
    for (const auto& [epoch, rows] : epochs) {
      const auto found = rows.find(name);
      if (found == rows.end()) continue;
      series.x.push_back(epoch);
      series.values.push_back(values[found->second]);
    }
    curves.series.push_back(series);
  }
  const Provenance& p = record.provenance;
  FigureOptions figure = curve_options(record, options, Scale::linear);
  if (options.title.empty())
    figure.title = names.size() == 1 ? *names.begin() : "Coherence of gradients";
  figure.subtitle = text(value_of(p, "batches"), " minibatches of ", value_of(p, "batch_size"),
                         " images, ", value_of(p, "data"), ", BatchNorm ", value_of(p, "bn_mode"));
  figure.x_label = "epochs";
  figure.y_label = label;
  figure.footer = text("Topograd ", value_of(p, "version"));
  return curve_figure(curves, figure);
}

}  // namespace

std::vector<NamedFigure> coherence_figures(const Record& record, const PictureOptions& options) {
  const NamedArray* name = record.find("name");
  if (!name || name->words.empty()) return {};
  const std::vector<double>& epoch = record.numbers("epoch");
  Epochs epochs;
  for (size_t row = 0; row < epoch.size(); ++row)
    if (std::isfinite(epoch[row])) epochs[epoch[row]][name->words.at(row)] = row;
  std::set<std::string> names;
  for (const auto& [at, rows] : epochs)
    for (const auto& [model, row] : rows) names.insert(model);
  if (epochs.size() < 2) return {};
  return {{"cosine", over_epochs(epochs, names, record, options, "cosine",
                                 "mean cosine of two minibatches' gradients")},
          {"snr", over_epochs(epochs, names, record, options, "snr",
                              "signal-to-noise ratio of a minibatch's gradient")}};
}

}  // namespace topograd
