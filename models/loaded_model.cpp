#include "models/loaded_model.h"

#include <cmath>
#include <utility>

#include "kernels/core/check.h"

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
  const Checkpoint checkpoint = Checkpoint::read(path);
  auto [spec, graph] = described_model(path, checkpoint.info().model);
  require(expected.empty() || expected == spec.name, path, " holds a ", spec.name, ", not a ",
          expected);
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

std::string describe(const ModelSpec& spec) {
  const bool noshort = spec.name.ends_with("_noshort");
  return text(spec.name, " (", noshort ? "" : text("option ", spec.shortcut, ", "), "width ",
              spec.width,
              spec.activation == Activation::relu ? "" : text(", ", name_of(spec.activation)), ")");
}

void require_same_network(const LoadedModel& one, const LoadedModel& other,
                          const std::string& then) {
  const ModelSpec &a = one.spec, &b = other.spec;
  if (to_json(a) == to_json(b)) return;
  const bool same_images = a.image_size == b.image_size && a.channels == b.channels;
  const auto described = [&](const ModelSpec& spec) {
    std::string all = describe(spec);
    if (!same_images)
      all += text(" for images of ", spec.image_size, 'x', spec.image_size, 'x', spec.channels);
    if (a.classes != b.classes) all += text(" with ", spec.classes, " classes");
    return all;
  };
  fail(one.path, " holds ", described(a), ", ", other.path, ' ', described(b), ": ", then);
}

}  // namespace topograd
