#include "apps/landscape/hessian/hessian_flags.h"

#include <algorithm>

namespace topograd {

namespace {

Curvature curvature_named(const std::string& name) {
  require(name == "hessian" || name == "gauss-newton", "--curvature ", name,
          ": choose hessian or gauss-newton");
  return name == "hessian" ? Curvature::hessian : Curvature::gauss_newton;
}

BatchnormMode batchnorm_named(const std::string& name) {
  require(name == "frozen" || name == "batch", "--bn ", name, ": choose frozen or batch");
  return name == "frozen" ? BatchnormMode::frozen : BatchnormMode::batch;
}

/// What --parameters and --layers choose, in words.
std::string parameters_in_words(const cxxopts::ParseResult& flags) {
  const std::string kinds = flags["parameters"].as<std::string>();
  require(kinds == "all" || kinds == "weights", "--parameters ", kinds, ": choose all or weights");
  const std::string layers = cli::text_of(flags, "layers");
  return layers.empty() ? kinds : kinds + " of " + layers;
}

/// Whether a parameter is of a layer, or a block, that --layers names.
bool is_part_of(const ParameterEntry& entry, const std::string& layer) {
  return entry.name == layer || entry.name.starts_with(layer + ".");
}

std::vector<ParameterRange> ranges_of(const cxxopts::ParseResult& flags, const LoadedModel& model) {
  const bool weights = flags["parameters"].as<std::string>() == "weights";
  const std::vector<std::string> layers = cli::words(cli::text_of(flags, "layers"));
  const ParameterLayout& layout = model.graph.layout();
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
    return named && (!weights || entry.is_weight());
  });
  require(!ranges.empty(), "--layers and --parameters leave no parameters over");
  return ranges;
}

}  // namespace

// A line per flag, which clang-format would run together.
// clang-format off
void add_curvature_flags(cxxopts::Options& options) {
  const auto value = [](const char* fallback) {
    return cxxopts::value<std::string>()->default_value(fallback);
  };
  options.add_options("Curvature")
      ("curvature", "hessian: of the mean loss; gauss-newton: of it the part that is never negative",
       value("hessian"))
      ("parameters", "all, or weights: without biases and BatchNorm's parameters", value("all"))
      ("layers", "only these layers or blocks, with commas between: layer1.0,linear",
       cxxopts::value<std::string>())
      ("bn", "BatchNorm: frozen, the running statistics; batch, each batch's own", value("frozen"))
      ("bn-batch", "images of a batch, for --bn batch", value("128"));
  options.add_options("Data")
      ("loss,l,loss-name", "cross_entropy or mse", value("cross_entropy"));
}
// clang-format on

CurvatureChoice::CurvatureChoice(const cxxopts::ParseResult& flags, const LoadedModel& model)
    : curvature(curvature_named(flags["curvature"].as<std::string>())),
      mode(batchnorm_named(flags["bn"].as<std::string>())),
      batch(mode == BatchnormMode::batch ? cli::whole(flags, "bn-batch", 2, 1 << 20) : 128),
      loss(cli::loss(flags)),
      parameters(parameters_in_words(flags)),
      ranges(ranges_of(flags, model)) {}

void CurvatureChoice::describe(Provenance& p) const {
  p["loss"] = name_of(loss);
  p["curvature"] = curvature == Curvature::hessian ? "hessian" : "gauss-newton";
  p["bn_mode"] = mode == BatchnormMode::frozen ? "frozen" : text("batch of ", batch);
  p["parameters"] = parameters;
}

CurvatureSpec CurvatureChoice::spec(const LoadedModel& model, const LabelledImages& images) const {
  return {.graph = model.graph,
          .theta = model.weights.theta,
          .running_stats = model.weights.running_stats,
          .images = images,
          .loss = loss,
          .curvature = curvature,
          .mode = mode,
          .batch = batch,
          .ranges = ranges};
}

}  // namespace topograd
