#include "landscape/trajectory/trajectory_plane.h"

#include <algorithm>

#include "kernels/core/format.h"
#include "kernels/core/hash.h"
#include "landscape/trajectory/checkpoints.h"
#include "nn/json_text.h"

namespace topograd {

namespace {

Direction direction_of(const Tensor& flat, const ParameterLayout& layout, DirectionType type) {
  const auto part = [&](int64_t begin, int64_t size) {
    const Tensor result({size});
    std::copy_n(flat.data<float>() + begin, size, result.data<float>());
    return result;
  };
  Direction direction{.parameters = part(0, layout.parameter_count()), .running_stats = {}};
  if (type == DirectionType::states)
    direction.running_stats = part(layout.parameter_count(), layout.state_count());
  return direction;
}

/// Returns the rows with 0 for tensors of one axis: biases, BatchNorm's scale, shift and
/// statistics.
Tensor weights_alone(const Tensor& rows, const ParameterLayout& layout) {
  const Tensor kept = Tensor::zeros(rows.shape());
  for (int64_t e = 0; e < rows.dim(0); ++e)
    for (const ParameterEntry& entry : layout.parameters()) {
      const int64_t at = e * rows.dim(1) + entry.offset;
      if (entry.is_weight())
        std::copy_n(rows.data<float>() + at, entry.size(), kept.data<float>() + at);
    }
  return kept;
}

}  // namespace

Tensor flat(const Tensor& parameters, const Tensor& running_stats) {
  if (!running_stats.defined() || running_stats.size() == 0) return parameters;
  const Tensor both({parameters.size() + running_stats.size()});
  std::copy_n(parameters.data<float>(), parameters.size(), both.data<float>());
  std::copy_n(running_stats.data<float>(), running_stats.size(),
              both.data<float>() + parameters.size());
  return both;
}

CheckpointRows read_checkpoints(const std::vector<std::string>& paths, DirectionType type,
                                const LoadedModel& last) {
  CheckpointRows result;
  std::vector<Tensor> networks;
  std::string hashes;
  for (const std::string& path : paths) {
    const LoadedModel model = load_model(path);
    require_same_network(model, last, "they are of no one run");
    networks.push_back(flat(model.weights.theta, type == DirectionType::states
                                                     ? model.weights.running_stats
                                                     : Tensor()));
    hashes += weights_hash(model.weights.theta, model.weights.running_stats);
    result.epochs.push_back(epoch_of(path, value_of(model.info.notes, "epoch"),
                                     static_cast<double>(result.epochs.size())));
    result.one_run = result.one_run && model.info.config == last.info.config;
  }
  result.hash = hex(content_hash(hashes.data(), hashes.size(), 0));
  result.rows = steps_from(networks.back(), networks);
  return result;
}

PrincipalComponents components_of(const CheckpointRows& checkpoints, Ignore ignore,
                                  const ParameterLayout& layout, ThreadPool& pool) {
  return principal_components(
      ignore == Ignore::biasbn ? weights_alone(checkpoints.rows, layout) : checkpoints.rows, 2,
      pool);
}

SurfaceDirections principal_plane(const PrincipalPlane& settings, const CheckpointRows& checkpoints,
                                  const PrincipalComponents& components, const LoadedModel& last) {
  const ParameterLayout& layout = last.graph.layout();
  const std::vector<double> random_walk =
      random_walk_explained(checkpoints.rows.dim(0), static_cast<int>(components.explained.size()));
  const auto axis = [&](size_t k) {
    return text("PC ", k + 1, ": ", decimals(100 * components.explained[k], 1),
                " %; a random walk's: ", decimals(100 * random_walk[k], 1), " %");
  };
  SurfaceDirections made;
  made.type = settings.type;
  made.planes.push_back({direction_of(components.directions[0], layout, settings.type),
                         direction_of(components.directions[1], layout, settings.type)});
  made.x_text = axis(0);
  made.y_text = axis(1);
  made.recipe = recipe_of(settings);
  return made;
}

std::string recipe_of(const PrincipalPlane& settings) {
  return json_text(nlohmann::json{{"kind", "principal_components"},
                                  {"checkpoints", settings.checkpoints},
                                  {"ignore", std::string(name_of(settings.ignore))},
                                  {"type", std::string(name_of(settings.type))}});
}

}  // namespace topograd
