#include <doctest/doctest.h>

#include "models/registry.h"

using namespace topograd;

TEST_CASE("models: parameter counts are the published ones") {
  // From the reference implementation (option B) and from He et al.'s option A.
  const struct {
    const char* name;
    char shortcut;
    int64_t parameters;
  } kPublished[] = {
      {"resnet20", 'B', 272474},         {"resnet20_noshort", 'B', 269722},
      {"resnet56", 'B', 855770},         {"resnet56_noshort", 'B', 853018},
      {"resnet110", 'B', 1730714},       {"resnet110_noshort", 'B', 1727962},
      {"resnet32_noshort", 'B', 464154}, {"resnet44_noshort", 'B', 658586},
      {"resnet20", 'A', 269722},         {"resnet56", 'A', 853018},
  };
  for (const auto& published : kPublished) {
    CAPTURE(published.name);
    const Graph g = build_model({.name = published.name, .shortcut = published.shortcut});
    CHECK(g.layout().parameter_count() == published.parameters);
  }
}

TEST_CASE("models: parameters carry PyTorch's names in PyTorch's order") {
  const Graph g = build_model({.name = "resnet20", .shortcut = 'B'});
  const auto& entries = g.layout().state_dict();
  CHECK(entries[0].name == "conv1.weight");
  CHECK(entries[1].name == "bn1.weight");
  CHECK(entries[3].name == "bn1.running_mean");
  CHECK(entries[5].name == "layer1.0.conv1.weight");
  CHECK(entries[entries.size() - 2].name == "linear.weight");
  int projections = 0;
  for (const ParameterEntry& entry : entries)
    projections += entry.name.ends_with("shortcut.0.weight");
  CHECK(projections == 2);
}

TEST_CASE("models: a spec survives its JSON") {
  const ModelSpec spec{.name = "resnet14_noshort",
                       .shortcut = 'A',
                       .width = 6,
                       .classes = 7,
                       .image_size = 24,
                       .channels = 1,
                       .activation = Activation::gelu};
  CHECK(to_json(model_spec_from_json(to_json(spec))) == to_json(spec));
  CHECK_THROWS_AS(model_spec_from_json("{"), Error);
  CHECK_THROWS_AS(model_spec_from_json("{\"shortcut\":\"A\"}"), Error);
}

TEST_CASE("models: unknown names and impossible sizes are refused with the choices") {
  for (const char* name : {"", "resnet", "resnet21", "resnet20_short", "vgg", "resnet99999999999"})
    CHECK_THROWS_AS(build_model({.name = name}), Error);
  CHECK_THROWS_AS(build_model({.shortcut = 'C'}), Error);
  CHECK_THROWS_AS(build_model({.width = 0}), Error);
}
