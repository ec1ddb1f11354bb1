#include "landscape/plots/coherence_plots.h"

#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "kernels/core/check.h"

namespace topograd {

namespace {

/// The networks by epoch, then by what they are.
using Epochs = std::map<double, std::map<std::string, const CoherenceRow*>>;

Figure over_epochs(const Epochs& epochs, const std::set<std::string>& names,
                   const Provenance& provenance, const std::string& label,
                   double CoherenceStatistics::*member) {
  CurveView curves;
  for (const auto& [epoch, rows] : epochs) curves.x.push_back(epoch);
  for (const std::string& name : names) {
    curves.more.push_back({name, {}});
    for (const auto& [epoch, rows] : epochs) {
      const auto found = rows.find(name);
      curves.more.back().values.push_back(found == rows.end()
                                              ? std::numeric_limits<double>::quiet_NaN()
                                              : found->second->coherence.all.*member);
    }
  }
  FigureOptions figure;
  figure.title = names.size() == 1 ? *names.begin() : "Coherence of gradients";
  figure.subtitle = text(
      provenance.at("batches"), " minibatches of ", value_of(provenance, "batch_size"), " images, ",
      value_of(provenance, "data"), ", BatchNorm ", value_of(provenance, "bn_mode"));
  figure.x_label = "epochs";
  figure.y_label = label;
  figure.footer = text("Topograd ", value_of(provenance, "version"));
  return curve_figure(curves, figure);
}

}  // namespace

std::vector<NamedFigure> coherence_figures(const CoherenceResults& results) {
  Epochs epochs;
  std::set<std::string> names;
  for (const CoherenceRow& row : results.rows)
    if (std::isfinite(row.epoch)) {
      epochs[row.epoch][row.model_name] = &row;
      names.insert(row.model_name);
    }
  if (epochs.size() < 2) return {};
  return {{"cosine",
           over_epochs(epochs, names, results.provenance,
                       "mean cosine of two minibatches' gradients", &CoherenceStatistics::cosine)},
          {"snr", over_epochs(epochs, names, results.provenance,
                              "signal-to-noise ratio of a minibatch's gradient",
                              &CoherenceStatistics::snr)}};
}

}  // namespace topograd
