#include "apps/model_file.h"

namespace topograd {

LoadedModel load_model(const std::string& path, const std::string& expected) {
  const Checkpoint checkpoint = Checkpoint::read(path);
  const ModelSpec spec = model_spec_from_json(checkpoint.info().model);
  require(expected.empty() || expected == spec.name, path, " holds a ", spec.name, ", not a ",
          expected);
  LoadedModel model{path, spec, build_model(spec), checkpoint.info(), {}, false};
  model.weights = checkpoint.weights(model.graph.layout());
  model.has_training_state = checkpoint.has_training_state();
  const size_t channels = static_cast<size_t>(spec.channels);
  require(model.info.normalisation.mean.size() == channels &&
              model.info.normalisation.std_dev.size() == channels,
          path, ": its normalisation is not for ", channels, " channels");
  return model;
}

void require_fitting_data(const ModelSpec& spec, const Dataset& data, const std::string& source) {
  require(data.height() == spec.image_size && data.width() == spec.image_size &&
              data.channels() == spec.channels,
          source, " holds images of ", data.height(), "x", data.width(), "x", data.channels(),
          ", the model takes ", spec.image_size, "x", spec.image_size, "x", spec.channels);
  require(data.classes() == spec.classes, source, " has ", data.classes(), " classes, the model ",
          spec.classes);
}

std::string describe(const ModelSpec& spec) {
  const bool noshort = spec.name.ends_with("_noshort");
  return text(spec.name, " (", noshort ? "" : text("option ", spec.shortcut, ", "), "width ",
              spec.width,
              spec.activation == Activation::relu ? "" : text(", ", name_of(spec.activation)), ")");
}

}  // namespace topograd
