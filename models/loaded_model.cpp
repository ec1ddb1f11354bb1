#include "models/loaded_model.h"

#include <cmath>
#include <utility>

#include "kernels/core/check.h"
#include "kernels/core/file_bytes.h"
#include "kernels/core/in_memory.h"

namespace topograd {

namespace {

/// Returns the model that a checkpoint says it holds, and its graph. Throws Error that names the
/// file.
std::pair<ModelSpec, Graph> described_model(const std::string& path, const std::string& json) {
  try {
    const ModelSpec spec = model_spec_from_json(json);
    return {spec, build_model(spec)};
  } catch (const std::exception& error) {
    fail(path, ": ", error.what());
  }
}

}  // namespace

LoadedModel load_model(const std::string& path, const std::string& expected) {
  require(!path.empty(), "the name of the checkpoint is empty: it is a file made by train");
  const auto require_expected = [&](const ModelSpec& spec) {
    require(expected.empty() || expected == spec.name, path, " holds a ", spec.name, ", not a ",
            expected);
  };
  if (is_in_memory(path)) {
    const std::shared_ptr<const LoadedModel> held = InMemory<LoadedModel>::find(path);
    require_expected(held->spec);
    return with_weights(*held, held->weights, path);
  }
  const Checkpoint checkpoint = Checkpoint::read(path);
  auto [spec, graph] = described_model(path, checkpoint.info().model);
  require_expected(spec);
  LoadedModel model{path, spec, std::move(graph), checkpoint.info(), {}, false};
  model.weights = checkpoint.weights(model.graph.layout());
  model.has_training_state = checkpoint.has_training_state();
  const size_t channels = static_cast<size_t>(spec.channels);
  require(model.info.normalisation.mean.size() == channels &&
              model.info.normalisation.std_dev.size() == channels,
          path, ": its normalisation is not for ", channels, " channels");
  for (double deviation : model.info.normalisation.std_dev)
    require(deviation > 0 && std::isfinite(deviation), path, ": its normalisation divides by ",
            deviation);
  return model;
}

LoadedModel with_weights(const LoadedModel& model, const ModelState& weights,
                         const std::string& path) {
  return {path,
          model.spec,
          build_model(model.spec),
          model.info,
          {weights.theta.clone(), weights.running_stats.clone()},
          false};
}

bool names_model_file(const std::string& name) {
  return name.ends_with(".json") || name.ends_with(".safetensors");
}

ModelSpec model_spec_of_file(const std::string& path) {
  if (path.ends_with(".safetensors"))
    return described_model(path, Checkpoint::read(path).info().model).first;
  const std::vector<char> bytes = file_bytes(path, "");
  try {
    return model_spec_of_graph({bytes.begin(), bytes.end()});
  } catch (const std::exception& error) {
    fail(path, ": ", error.what());
  }
}

std::string describe(const ModelSpec& spec) {
  if (!spec.graph.empty()) return spec.name;
  const bool noshort = spec.name.ends_with("_noshort");
  return text(spec.name, " (", noshort ? "" : text("option ", spec.shortcut, ", "), "width ",
              spec.width,
              spec.activation == Activation::relu ? "" : text(", ", name_of(spec.activation)), ")");
}

void require_same_network(const LoadedModel& one, const LoadedModel& other,
                          const std::string& then) {
  if (to_json(one.spec) == to_json(other.spec)) return;
  const bool same_images = one.graph.image_shape() == other.graph.image_shape();
  const bool same_classes = one.graph.classes() == other.graph.classes();
  const auto described = [&](const LoadedModel& model) {
    const Shape& image = model.graph.image_shape();
    std::string all = describe(model.spec);
    if (!same_images) all += text(" for images of ", image[0], 'x', image[1], 'x', image[2]);
    if (!same_classes) all += text(" with ", model.graph.classes(), " classes");
    if (!model.spec.graph.empty()) all += " of its own graph";
    return all;
  };
  fail(one.path, " holds ", described(one), ", ", other.path, ' ', described(other), ": ", then);
}

}  // namespace topograd
