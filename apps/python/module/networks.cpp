#include "apps/python/module/networks.h"

#include <cmath>

#include "kernels/core/context.h"
#include "kernels/core/version.h"
#include "landscape/directions/plane.h"
#include "landscape/planes/recorded_directions.h"
#include "landscape/results/result_names.h"
#include "landscape/surface/surface.h"
#include "nn/initialisation.h"

namespace topograd::python {

void HeldNetwork::save(const std::string& path) const {
  TrainingState state;
  static_cast<ModelState&>(state) = model_->weights;
  write_checkpoint(path, model_->graph.layout(), state, model_->info,
                   /*with_training_state=*/false);
}

std::unique_ptr<HeldNetwork> HeldNetwork::with(const ModelState& weights,
                                               const std::string& label) const {
  return std::make_unique<HeldNetwork>(with_weights(*model_, weights, ""), label);
}

std::unique_ptr<HeldNetwork> HeldNetwork::at(const std::string& surface, double alpha, double beta,
                                             const std::string& label) const {
  require(std::isfinite(alpha) && std::isfinite(beta), "a point at ", alpha, ", ", beta,
          " is none: give finite coordinates");
  const SurfaceDirections directions =
      directions_of_surface(Surface::load(surface), surface, *model_, "");
  Context host;
  return with(at_point(model_->weights, directions.planes.front(), alpha, beta, host), label);
}

std::unique_ptr<HeldNetwork> read_network(const std::string& path,
                                          const std::optional<std::string>& label) {
  return std::make_unique<HeldNetwork>(load_model(path), label.value_or(network_name(path)));
}

std::unique_ptr<HeldNetwork> new_network(const ModelSpec& spec, uint64_t seed,
                                         const Normalisation& normalisation) {
  LoadedModel model{"", spec, build_model(spec), {}, {}, false};
  const ParameterLayout& layout = model.graph.layout();
  model.weights = {Tensor({layout.parameter_count()}), Tensor({layout.state_count()})};
  initialise(layout, seed, model.weights.theta, model.weights.running_stats);
  model.info.model = to_json(spec);
  model.info.normalisation = for_channels(normalisation, spec.channels);
  model.info.notes["version"] = version();
  return std::make_unique<HeldNetwork>(std::move(model), spec.name);
}

}  // namespace topograd::python
