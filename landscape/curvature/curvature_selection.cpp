#include "landscape/curvature/curvature_selection.h"

#include <algorithm>

#include "kernels/core/check.h"

namespace topograd {

namespace {

/// Whether a parameter belongs to a layer or a block of this name.
bool is_part_of(const ParameterEntry& entry, const std::string& layer) {
  return entry.name == layer || entry.name.starts_with(layer + ".");
}

std::vector<ParameterRange> chosen_ranges(const CurvatureSelection& selection,
                                          const LoadedModel& model) {
  const ParameterLayout& layout = model.graph.layout();
  const std::vector<std::string>& layers = selection.layers;
  for (const std::string& layer : layers)
    require(std::any_of(layout.parameters().begin(), layout.parameters().end(),
                        [&](const ParameterEntry& entry) { return is_part_of(entry, layer); }),
            "--layers ", layer, ": ", model.spec.name,
            " has no parameters of that name; the first are ", layout.parameters()[0].name);
  const auto ranges = parameter_ranges(layout, [&](const ParameterEntry& entry) {
    const bool named =
        layers.empty() || std::any_of(layers.begin(), layers.end(), [&](const std::string& layer) {
          return is_part_of(entry, layer);
        });
    return named && (!selection.weights_alone || entry.is_weight());
  });
  require(!ranges.empty(), "--layers and --parameters leave no parameters over");
  return ranges;
}

}  // namespace

std::string CurvatureSelection::parameters() const {
  std::string words = weights_alone ? "weights" : "all";
  for (size_t i = 0; i < layers.size(); ++i) words += (i == 0 ? " of " : ",") + layers[i];
  return words;
}

void CurvatureSelection::describe(Provenance& p) const {
  p["loss"] = text_of(loss);
  p["curvature"] = curvature == Curvature::hessian ? "hessian" : "gauss-newton";
  p["bn_mode"] = batchnorm == BatchnormMode::frozen ? "frozen" : text("batch of ", batch);
  p["parameters"] = parameters();
}

CurvatureSpec curvature_spec(const CurvatureSelection& selection, const LoadedModel& model,
                             const LabelledImages& images) {
  return {.graph = model.graph,
          .theta = model.weights.theta,
          .running_stats = model.weights.running_stats,
          .images = images,
          .loss = selection.loss,
          .curvature = selection.curvature,
          .mode = selection.batchnorm,
          .batch = selection.batchnorm == BatchnormMode::batch ? selection.batch : 128,
          .ranges = chosen_ranges(selection, model)};
}

}  // namespace topograd
